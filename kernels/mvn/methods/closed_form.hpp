// closed_form.hpp: the maximum itself, μ = x̄ and Λ = chol(A/n), here L = chol(R).
#pragma once

#include "mvn/objective.hpp"

namespace mvn {

// Stalled where R is not positive definite in this arithmetic (float32 and a nearly singular R).
template <class Team, class Dim, class Real>
MVN_FN Ending closedForm(const Team& team, Dim d, const Real* R, Real* U) {
  return {cholesky(team, d, R, U) ? Status::converged : Status::stalled, 0};
}

}  // namespace mvn
