// moments.cu: describe, moments and merge.
#include "mvn.hpp"

MVN_ENTRIES_moments(MVN_KERNEL)
