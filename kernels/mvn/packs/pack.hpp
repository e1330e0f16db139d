// pack.hpp: groups side by side, one in each lane of a vector.
//
// A small matrix fills no vector registers, and its factorisation is one long chain of dependent steps. So groups of one
// dimension are taken as many at a time as a vector has lanes: entry (i, j) of a pack is the vector of their entries
// (i, j), and every operation does the same for all of them. Lanes never mix, so a group's result has the same bits
// whatever its company; a place without a group is filled with a copy of another, and nothing is written for it.
#pragma once

#include "mvn/rows.hpp"

namespace mvn {

// On a lambda of an inner loop: what it captures is then known to the compiler instead of being loaded every time.
#define MVN_INLINE __attribute__((always_inline))

// Groups of a pack in this arithmetic.
template <class Real> constexpr int packLanes = lanesOf<Real>;

// Lane by lane, as max(a, b) of real.hpp.
template <class V> MVN_FN V larger(V a, V b) { return a < b ? b : a; }
template <class V> MVN_FN V smaller(V a, V b) { return b < a ? b : a; }

// One number of each group, `from(lane)`.
template <class V, class F, int... I> MVN_FN V gather(F from, LaneNumbers<I...>) { return V{from(I)...}; }
template <class V, class F> MVN_FN V gather(F from) { return gather<V>(from, LanesOf<lanesIn<V>>{}); }

// One group's numbers within those of its pack: entry e is at e·lanesIn<V>.
template <class V> MVN_FN Element<V>* laneOf(V* x, int lane) { return reinterpret_cast<Element<V>*>(x) + lane; }

}  // namespace mvn
