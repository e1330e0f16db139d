# mvnfit on the CPU: `docker build -t mvnfit .`, then
#   docker run --rm -v "$PWD:/data" mvnfit fit /data/table.csv --group-by customer -o /data/fits.parquet
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Scripts wait until the sources are there: `prepare` compiles them.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/mvnfit
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY --from=build /src/examples examples
RUN ln -s /opt/mvnfit/dist/cli/main.js /usr/local/bin/mvnfit
USER node
WORKDIR /data
ENTRYPOINT ["mvnfit"]
CMD ["--help"]
