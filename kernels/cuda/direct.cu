// direct.cu: the fits without a line search, and evaluate.
#include "mvn.hpp"

MVN_ENTRIES_direct(MVN_KERNEL)
