// evaluate_test.cpp: (2), (3), (4), (7), (9), (14) against the paper's sums over the rows and against differences.
#include "groups.hpp"

#include "check.hpp"

using namespace groups;

namespace {

using LongNumbers = std::vector<Long>;

// log|det| and the inverse of a d×d matrix in long double, by Gauss–Jordan with partial pivoting.
Long invert(int d, LongNumbers& M, LongNumbers& inverse) {
  Long logDet = 0;
  inverse.assign(d * d, 0);
  for (int i = 0; i < d; ++i) inverse[i * d + i] = 1;
  for (int k = 0; k < d; ++k) {
    int p = k;
    for (int i = k + 1; i < d; ++i) p = std::fabs(M[i * d + k]) > std::fabs(M[p * d + k]) ? i : p;
    for (int j = 0; j < d; ++j) {
      std::swap(M[k * d + j], M[p * d + j]);
      std::swap(inverse[k * d + j], inverse[p * d + j]);
    }
    logDet += std::log(std::fabs(M[k * d + k]));
    const Long pivot = M[k * d + k];
    for (int j = 0; j < d; ++j) M[k * d + j] /= pivot, inverse[k * d + j] /= pivot;
    for (int i = 0; i < d; ++i) {
      if (i == k) continue;
      const Long f = M[i * d + k];
      for (int j = 0; j < d; ++j) M[i * d + j] -= f * M[k * d + j], inverse[i * d + j] -= f * inverse[k * d + j];
    }
  }
  return logDet;
}

struct Paper {
  Long j1, j2, objective;
  Numbers dj1dFactor, dj2dMean, dj2dFactor;
};

// The equations as printed, sums over the rows, in long double.
Paper paper(int d, const Numbers& rows, const LongNumbers& mean, const LongNumbers& factor) {
  const int n = int(rows.size()) / d;
  LongNumbers S(d * d, 0), inverse;
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j < d; ++j) {
      for (int k = 0; k < d; ++k) S[i * d + j] += factor[i * d + k] * factor[j * d + k];
    }
  }
  Paper out;
  out.j1 = n * invert(d, S, inverse);
  out.j2 = 0;
  LongNumbers summed(d, 0), outer(d * d, 0);
  for (int a = 0; a < n; ++a) {
    for (int b = 0; b < d; ++b) {
      const Long x = rows[a * d + b] - mean[b];
      summed[b] += x;
      for (int c = 0; c < d; ++c) outer[b * d + c] += x * (rows[a * d + c] - mean[c]);
    }
  }
  for (int b = 0; b < d; ++b) {
    for (int c = 0; c < d; ++c) out.j2 += inverse[b * d + c] * outer[b * d + c];
  }
  out.objective = n * d / 2.0L * std::log(2 * std::acos(-1.0L)) + (out.j1 + out.j2) / 2;
  const auto times = [d](const LongNumbers& A, const LongNumbers& B) {
    LongNumbers C(d * d, 0);
    for (int i = 0; i < d; ++i) {
      for (int k = 0; k < d; ++k) {
        for (int j = 0; j < d; ++j) C[i * d + j] += A[i * d + k] * B[k * d + j];
      }
    }
    return C;
  };
  const LongNumbers V = times(inverse, factor), G = times(inverse, times(outer, V));
  for (int e = 0; e < d * d; ++e) {
    out.dj1dFactor.push_back(f64(2 * n * V[e]));
    out.dj2dFactor.push_back(f64(-2 * G[e]));
  }
  for (int j = 0; j < d; ++j) {
    Long sum = 0;
    for (int b = 0; b < d; ++b) sum += summed[b] * inverse[b * d + j];
    out.dj2dMean.push_back(f64(-2 * sum));
  }
  return out;
}

struct Sample {
  Numbers rows, mean, factor;
  Group group;
};

Sample sampleOf(int d, int n, std::uint64_t seed, f64 offset = 0) {
  Random random(seed);
  Sample sample{random.normals(n * d), random.normals(d), random.normals(d * d), {}};
  for (f64& x : sample.rows) x += offset;
  for (f64& x : sample.mean) x += offset;
  for (int i = 0; i < d; ++i) sample.factor[i * d + i] += 2;  // general, not triangular, moderate condition
  sample.group = groupOf(d, sample.rows);
  return sample;
}

LongNumbers widened(const Numbers& x) { return LongNumbers(x.begin(), x.end()); }

// Λ's condition reaches some hundreds here and costs that many digits; all errors measured were below 1e-12.
constexpr f64 gradientTolerance = 5e-12;

}  // namespace

TEST("agrees with the paper's sums over the rows") {
  FOR_EACH(d, {1, 2, 3, 4, 5, 7, 8, 9, 16, 33}) {
    FOR_EACH(n, {1, 2, 9, 60}) {
      const Sample at = sampleOf(int(d), int(n), 100 * d + n);
      const Paper exact = paper(int(d), at.rows, widened(at.mean), widened(at.factor));
      for (const bool specialised : {true, false}) {
        const Evaluation found = evaluate(at.group, at.mean, at.factor, specialised);
        CHECK(found.status == 0);
        CHECK_CLOSE(found.j1, f64(exact.j1), gradientTolerance * n * (1 + std::fabs(f64(exact.j1))));
        CHECK_CLOSE(found.j2, f64(exact.j2), gradientTolerance * f64(exact.j2));
        CHECK_CLOSE(found.objective, f64(exact.objective), gradientTolerance * n * (1 + f64(exact.j2)));
        CHECK(relativeError(found.dj1dFactor, exact.dj1dFactor) <= gradientTolerance);
        CHECK(relativeError(found.dj2dMean, exact.dj2dMean) <= gradientTolerance);
        CHECK(relativeError(found.dj2dFactor, exact.dj2dFactor) <= gradientTolerance);
      }
    }
  }
}

TEST("gradients agree with central differences of J in long double") {
  constexpr Long h = 1e-7L;                 // error h² of the difference, ε/h of the rounding
  constexpr f64 differenceTolerance = 1e-9;
  FOR_EACH(d, {1, 2, 3, 5, 8}) {
    const Sample at = sampleOf(int(d), 20, 5 * d);
    const Evaluation found = evaluate(at.group, at.mean, at.factor);
    f64 size = 0;
    for (int e = 0; e < d * d; ++e) {
      size = std::fmax(size, std::fabs(found.dj1dFactor[e]) + std::fabs(found.dj2dFactor[e]));
    }
    for (int e = 0; e < d * d; ++e) {
      LongNumbers up = widened(at.factor), down = up;
      up[e] += h;
      down[e] -= h;
      const Long slope = (paper(int(d), at.rows, widened(at.mean), up).objective -
                          paper(int(d), at.rows, widened(at.mean), down).objective) / (2 * h);
      CHECK_CLOSE((found.dj1dFactor[e] + found.dj2dFactor[e]) / 2, f64(slope), differenceTolerance * size);
    }
    for (int j = 0; j < d; ++j) {
      LongNumbers up = widened(at.mean), down = up;
      up[j] += h;
      down[j] -= h;
      const Long slope = (paper(int(d), at.rows, up, widened(at.factor)).objective -
                          paper(int(d), at.rows, down, widened(at.factor)).objective) / (2 * h);
      CHECK_CLOSE(found.dj2dMean[j] / 2, f64(slope), differenceTolerance * size);
    }
  }
}

TEST("ΛᵀG is symmetric, G = ∂J/∂Λ") {
  FOR_EACH(d, {2, 3, 8, 16}) {
    const Sample at = sampleOf(int(d), 40, d);
    const Evaluation found = evaluate(at.group, at.mean, at.factor);
    Numbers product(d * d, 0.0);
    f64 size = 0;
    for (int i = 0; i < d; ++i) {
      for (int j = 0; j < d; ++j) {
        for (int k = 0; k < d; ++k) {
          product[i * d + j] += at.factor[k * d + i] * (found.dj1dFactor[k * d + j] + found.dj2dFactor[k * d + j]) / 2;
        }
        size = std::fmax(size, std::fabs(product[i * d + j]));
      }
    }
    for (int i = 0; i < d; ++i) {
      for (int j = 0; j < i; ++j) CHECK_CLOSE(product[i * d + j], product[j * d + i], gradientTolerance * size);
    }
  }
}

TEST("the gradient is zero at the fit") {
  FOR_EACH(d, {1, 2, 3, 5, 8, 33}) {
    const Group group = groupOf(int(d), 100, d);
    const Fit best = fit(group, Call{});
    const Evaluation found = evaluate(group, best.mean, best.factor);
    for (int e = 0; e < d * d; ++e) {
      CHECK_CLOSE(found.dj1dFactor[e] + found.dj2dFactor[e], 0, 1e-11 * 100 * group.weight);
    }
    for (int j = 0; j < d; ++j) CHECK(found.dj2dMean[j] == 0);
    CHECK_CLOSE(found.objective, -best.logLikelihood, 1e-12 * std::fabs(best.logLikelihood) + 1e-10);
  }
}

TEST("at a mean of 1e8 the gradients lose only what the input's own rounding took") {
  const int d = 4;
  const Sample at = sampleOf(d, 50, 77, 1e8);
  const Paper exact = paper(d, at.rows, widened(at.mean), widened(at.factor));
  const Evaluation found = evaluate(at.group, at.mean, at.factor);
  const f64 tolerance = 1e8 * 0x1p-52 * 10;  // x̄ is rounded once at 1e8
  CHECK(relativeError(found.dj2dMean, exact.dj2dMean) <= tolerance);
  CHECK(relativeError(found.dj2dFactor, exact.dj2dFactor) <= tolerance);
  CHECK(relativeError(found.dj1dFactor, exact.dj1dFactor) <= gradientTolerance);
}

TEST("units of the data scale the results exactly: powers of two") {
  const int d = 3;
  const Sample at = sampleOf(d, 30, 12);
  const int powers[] = {-80, 70, 3};
  Sample scaled = at;
  for (int i = 0; i < d; ++i) {
    scaled.mean[i] = std::ldexp(at.mean[i], powers[i]);
    scaled.group.mean[i] = std::ldexp(at.group.mean[i], powers[i]);
    for (int j = 0; j < d; ++j) {
      scaled.factor[i * d + j] = std::ldexp(at.factor[i * d + j], powers[i]);
      scaled.group.scatter[i * d + j] = std::ldexp(at.group.scatter[i * d + j], powers[i] + powers[j]);
    }
  }
  const auto compare = [&](const Evaluation& plain, const Evaluation& found) {
    CHECK(found.j2 == plain.j2);
    for (int i = 0; i < d; ++i) {
      CHECK(std::ldexp(found.dj2dMean[i], powers[i]) == plain.dj2dMean[i]);
      for (int j = 0; j < d; ++j) {
        CHECK(std::ldexp(found.dj1dFactor[i * d + j], powers[i]) == plain.dj1dFactor[i * d + j]);
        CHECK(std::ldexp(found.dj2dFactor[i * d + j], powers[i]) == plain.dj2dFactor[i * d + j]);
      }
    }
  };
  compare(evaluate(at.group, at.mean, at.factor), evaluate(scaled.group, scaled.mean, scaled.factor));
  compare(evaluate<f32>(at.group, at.mean, at.factor), evaluate<f32>(scaled.group, scaled.mean, scaled.factor));
}

TEST("float32 agrees to its own rounding") {
  constexpr f64 singleTolerance = 2e-3;  // ε(float32) times the square of Λ's condition, some tens here
  FOR_EACH(d, {1, 2, 3, 4, 5, 8, 9}) {
    const Sample at = sampleOf(int(d), 40, 31 * d);
    const Evaluation exact = evaluate(at.group, at.mean, at.factor);
    const Evaluation found = evaluate<f32>(at.group, at.mean, at.factor);
    CHECK(found.status == 0);
    CHECK_CLOSE(found.j1, exact.j1, singleTolerance * 40);
    CHECK_CLOSE(found.j2, exact.j2, singleTolerance * exact.j2);
    CHECK(relativeError(found.dj1dFactor, exact.dj1dFactor) <= singleTolerance);
    CHECK(relativeError(found.dj2dMean, exact.dj2dMean) <= singleTolerance);
    CHECK(relativeError(found.dj2dFactor, exact.dj2dFactor) <= singleTolerance);
  }
}

TEST("singular, empty, non-finite") {
  const Group group = groupOf(3, 10, 1);
  const Numbers mean = {0, 0, 0};
  for (const Numbers& factor : {Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9}, Numbers{1, 0, 0, 0, 0, 0, 0, 0, 1},
                                Numbers{1, 2, 3, 1, 2, 3, 0, 0, 1}, Numbers{0.1, 0.2, 0.3, 0.3, 0.6, 0.9, 1, 0, 0}}) {
    const Evaluation found = evaluate(group, mean, factor);
    CHECK(found.status == int(Status::singular));
    CHECK(found.j1 == -INFINITY);
    CHECK(std::isnan(found.j2) && std::isnan(found.objective));
    CHECK(std::isnan(found.dj1dFactor[8]) && std::isnan(found.dj2dMean[2]) && std::isnan(found.dj2dFactor[0]));
  }
  // Far from singular in any direction that matters: rows of very different size.
  CHECK(evaluate(group, mean, {1e-30, 0, 0, 1, 1, 0, 1e30, 0, 1e30}).status == 0);
  // A condition of 1e12 is a property of Λ.
  CHECK(evaluate(group, mean, {1, 0, 0, 1, 1e-12, 0, 0, 0, 1}).status == 0);

  const Numbers eye = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const Evaluation empty = evaluate(Group{3, 0, 0, Numbers(3, NAN), Numbers(9, 0)}, mean, eye);
  CHECK(empty.status == int(Status::empty));
  CHECK(empty.j1 == 0 && empty.j2 == 0 && empty.objective == 0);
  CHECK(empty.dj1dFactor == Numbers(9, 0) && empty.dj2dMean == mean && empty.dj2dFactor == Numbers(9, 0));

  const Evaluation lost = evaluate(group, {0, NAN, 0}, eye);
  CHECK(lost.status == int(Status::nonFinite));
  CHECK(std::isnan(lost.j1) && std::isnan(lost.j2) && std::isnan(lost.dj1dFactor[0]) && std::isnan(lost.dj2dMean[0]));
  CHECK(evaluate(group, mean, {1, 0, 0, 0, INFINITY, 0, 0, 0, 1}).status == int(Status::nonFinite));
  Group broken = group;
  broken.scatter[5] = NAN;
  CHECK(evaluate(broken, mean, eye).status == int(Status::nonFinite));
}
