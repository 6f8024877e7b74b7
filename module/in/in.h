/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel was handed: from the setup_data chain to what is still held, and
 * pages that become this kernel's own. core/handover.c decides whether it is believed.
 */
#ifndef KHOB_IN_H
#define KHOB_IN_H

#include "core/control.h"
#include "core/handover.h"
#include "mem/mem.h"

struct folio;

enum khob_in_state { KHOB_IN_NONE, KHOB_IN_ATTACHED, KHOB_IN_REFUSED };

/**
 * struct khob_in - what this kernel was handed
 * @state: whether it was taken over
 * @reason: why it was refused
 * @native: this kernel's own KHO took it: pages become live only through that
 * @going: a kernel is loaded, which gets what is held: nothing may be given back
 * @setup_data: physical address of the chain that was attached to last
 * @chain_damaged: whoever follows that chain does not know where it leads
 * @got: the description, complete; NULL unless attached
 * @refused: of a refused handover: nothing but intervals, for `release all`; or NULL
 * @boot: this kernel was handed something; stays, as all that follows, when it is given back
 * @gap_pages: pages between those that are kept, given to the allocator at attach
 * @poisoned: pages that the kernel before knew to be broken, which nobody gets
 * @restored_pages: pages that others have taken over
 * @attach_us: how long attach took
 * @attach_done: bytes that attach has gone through; it and the next are read without a lock
 * @attach_all: bytes that it goes through; 0 unless it does
 * @kexec_tsc: time stamp counter of the outgoing kernel just before the kexec
 * @tsc_khz: its frequency
 * @previous_release: the outgoing kernel's
 * @kexec_count: handovers up to this one
 */
struct khob_in {
	enum khob_in_state state;
	char reason[KHOB_WHY_MAX];
	bool native;
	bool going;
	u64 setup_data;
	bool chain_damaged;
	struct khob_handover *got;
	struct khob_handover *refused;
	bool boot;
	u64 gap_pages;
	u64 poisoned;
	u64 restored_pages;
	u64 attach_us;
	u64 attach_done;
	u64 attach_all;
	u64 kexec_tsc;
	u64 tsc_khz;
	char previous_release[sizeof_field(struct khob_handover, previous_release)];
	u32 kexec_count;
};

extern struct khob_in khob_in;

/* state.c */
void khob_in_set_face(const struct khob_face *face);
int khob_in_show(struct khob_handed *sub);
void khob_in_hide(struct khob_handed *sub);
void khob_in_forget(void);
bool khob_in_kept(u64 start, u64 end);
struct khob_handed *khob_in_subtree(const char *name);
unsigned int khob_in_nr_subtrees(void);
bool khob_in_holds(void);
bool khob_in_held(u64 pa, unsigned int *order);
bool khob_in_others(u64 key);
int khob_in_walk(int (*fn)(void *ctx, u64 key, const struct khob_handed *sub), void *ctx);
/* Subtrees that every freeze adds: meta, records, kexec-metadata. */
#define KHOB_INTERNAL_SUBTREES 3

/* hide.c */
void khob_in_hide_chain(u64 setup_data);

/* attach.c */
int khob_in_attach(u64 setup_data);

/* live.c: pages become this kernel's, by its own KHO where that took them */
int khob_in_live(u64 pa, u64 nr);
struct folio *khob_in_folio(u64 pa, unsigned int order);
void khob_in_free(u64 pa, u64 nr);

/* restore.c */
int khob_in_restore(const struct khob_target *t);
int khob_in_release(const struct khob_target *t);
int khob_in_claim(u64 pa, u64 nr);
void khob_in_unclaim(u64 pa, u64 nr);
void khob_in_take(u64 pa, u64 nr);
bool khob_in_take_page(u64 pa);

/* native.c: a kernel with KHO of its own took the handover, and pages are its own to give */
#ifdef KHOB_NATIVE
bool khob_native_boot(void);
bool khob_native_order(u64 pa, unsigned int *order);
bool khob_native_holds(u64 pa, u64 *start, unsigned int *order);
int khob_native_live(u64 pa, u64 nr);
struct folio *khob_native_folio(u64 pa);
void khob_native_put(u64 pa, u64 nr);
void khob_native_free(u64 pa, u64 nr);
#else
static inline bool khob_native_boot(void) { return false; }
static inline bool khob_native_order(u64 pa, unsigned int *order) { return false; }
static inline bool khob_native_holds(u64 pa, u64 *start, unsigned int *order) { return false; }
static inline int khob_native_live(u64 pa, u64 nr) { return -ENOENT; }
static inline struct folio *khob_native_folio(u64 pa) { return NULL; }
static inline void khob_native_put(u64 pa, u64 nr) {}
static inline void khob_native_free(u64 pa, u64 nr) {}
#endif

#endif /* KHOB_IN_H */
