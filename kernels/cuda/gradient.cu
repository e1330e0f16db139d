// gradient.cu: the fits by gradient methods.
#include "mvn.hpp"

MVN_ENTRIES_gradient(MVN_KERNEL)
