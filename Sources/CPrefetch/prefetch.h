// What Swift has no word for: fetching memory ahead of its use.
#ifndef STARLING_PREFETCH_H
#define STARLING_PREFETCH_H

/// Begins to bring the cache line of an address close to the processor. Never fails, whatever the address.
static inline void starling_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
