// What Swift cannot import from C: variadic functions and a few macros. Nothing else belongs here.
#ifndef STARLING_SHIMS_H
#define STARLING_SHIMS_H

#endif
