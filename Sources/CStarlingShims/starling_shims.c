#include "starling_shims.h"
