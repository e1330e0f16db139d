# mvnfit in a container. On the CPU, the default:
#   docker build -t mvnfit .
#   docker run --rm -v "$PWD:/data" mvnfit fit table.csv --group-by customer -o fits.parquet
# On NVIDIA GPUs, with the engines cuda and tensorflow (the host needs the NVIDIA Container Toolkit):
#   docker build -t mvnfit:gpu --target gpu .
#   docker run --rm --gpus all -v "$PWD:/data" mvnfit:gpu fit table.csv --group-by customer --engine cuda -o fits.parquet
#   docker run --rm --gpus all mvnfit:gpu engines
# Results are written by the user 1000; another one: docker run --user "$(id -u):$(id -g)" …

ARG CUDA_VERSION=12.6.3

FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Scripts wait until the sources are there: `prepare` compiles them.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

# What an image needs of all that, in its place.
FROM node:22-bookworm-slim AS package
WORKDIR /opt/mvnfit
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/examples examples
# npm makes a command executable where it installs a package; here nobody installs it.
RUN chmod 755 dist/cli/main.js

# What has to be compiled for GPUs: the CUDA kernels, and the addon for TensorFlow with its CUDA libraries.
FROM nvidia/cuda:${CUDA_VERSION}-devel-ubuntu24.04 AS gpu-build
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 python3-pip \
  && rm -rf /var/lib/apt/lists/*
COPY --from=package /usr/local/bin/node /usr/local/bin/node
COPY --from=package /usr/local/lib/node_modules /usr/local/lib/node_modules
COPY --from=package /usr/local/include/node /usr/local/include/node
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
COPY --from=package /opt/mvnfit /opt/mvnfit
ENV MVNFIT_TENSORFLOW=/opt/tensorflow
RUN node /opt/mvnfit/dist/cli/main.js setup tensorflow --gpu
COPY --from=build /src /src
WORKDIR /src
RUN npm run --if-present build:cuda

FROM nvidia/cuda:${CUDA_VERSION}-base-ubuntu24.04 AS gpu
ENV NODE_ENV=production MVNFIT_TENSORFLOW=/opt/tensorflow
COPY --from=package /usr/local/bin/node /usr/local/bin/node
COPY --from=package /opt/mvnfit /opt/mvnfit
COPY --from=gpu-build /opt/tensorflow /opt/tensorflow
COPY --from=gpu-build /src/dist/kernels /opt/mvnfit/dist/kernels
RUN ln -s /opt/mvnfit/dist/cli/main.js /usr/local/bin/mvnfit
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["mvnfit"]
CMD ["--help"]

# The last is the one that is built unless another is asked for.
FROM node:22-bookworm-slim AS cpu
ENV NODE_ENV=production
COPY --from=package /opt/mvnfit /opt/mvnfit
RUN ln -s /opt/mvnfit/dist/cli/main.js /usr/local/bin/mvnfit
USER node
WORKDIR /data
ENTRYPOINT ["mvnfit"]
CMD ["--help"]
