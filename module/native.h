/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the running kernel has KHO of its own: what it was handed and what it hands over
 * is then the kernel's to know. On all others none of this is ever true.
 */
#ifndef KHOB_NATIVE_H
#define KHOB_NATIVE_H

#include <linux/err.h>
#include <linux/types.h>

#include "khob/abi.h"

struct folio;
struct khob_check_result;
struct khob_fdt_info;
struct khob_fdt_subtree;
struct khob_radix;

#ifdef KHOB_NATIVE
/* native_in.c: the same on a kernel whose own KHO took the handover */
bool khob_native_boot(void);
bool khob_native_order(u64 pa, unsigned int *order);
bool khob_native_ram(u64 start, u64 end);
int khob_native_ranges(u64 map_pa, int (*add)(void *ctx, u64 start, u64 end), void *ctx,
		       struct khob_check_result *res);
void khob_native_live(u64 pa, u64 nr);
struct folio *khob_native_folio(u64 pa);
void khob_native_free(u64 pa, u64 nr);
void khob_native_take_metadata(void);

/* native_out.c: a kernel whose own KHO hands over what is registered with it */
bool khob_native_source(void);
int khob_native_preserve(u64 pa, unsigned int order);
void khob_native_unpreserve(u64 pa, unsigned int order);
int khob_native_add_subtree(const char *name, u64 pa, u64 len);
void khob_native_remove_subtree(u64 pa);
void *khob_native_fdt(struct khob_fdt_info *info);
enum khob_abi khob_native_abi(void);
u64 khob_native_fdt_pa(void);
int khob_native_tree(struct khob_radix *tree);
int khob_native_import(void);
void khob_native_unimport(void);
int khob_native_changed(void);
u64 khob_native_keys(void);
int khob_native_publish(const struct khob_fdt_subtree *sub);
void khob_native_unpublish(void);

#else

static inline bool khob_native_boot(void) { return false; }
static inline bool khob_native_order(u64 pa, unsigned int *order) { return false; }
static inline bool khob_native_ram(u64 start, u64 end) { return false; }
static inline int khob_native_ranges(u64 map_pa, int (*add)(void *ctx, u64 start, u64 end),
				     void *ctx, struct khob_check_result *res) { return -EINVAL; }
static inline void khob_native_live(u64 pa, u64 nr) {}
static inline struct folio *khob_native_folio(u64 pa) { return NULL; }
static inline void khob_native_free(u64 pa, u64 nr) {}
static inline void khob_native_take_metadata(void) {}

static inline bool khob_native_source(void) { return false; }
static inline int khob_native_preserve(u64 pa, unsigned int order) { return 0; }
static inline void khob_native_unpreserve(u64 pa, unsigned int order) {}
static inline int khob_native_add_subtree(const char *name, u64 pa, u64 len) { return 0; }
static inline void khob_native_remove_subtree(u64 pa) {}
static inline void *khob_native_fdt(struct khob_fdt_info *info) { return ERR_PTR(-ENOENT); }
static inline enum khob_abi khob_native_abi(void) { return KHOB_ABI_NR; }
static inline u64 khob_native_fdt_pa(void) { return 0; }
static inline int khob_native_tree(struct khob_radix *tree) { return -ENOENT; }
static inline int khob_native_import(void) { return 0; }
static inline void khob_native_unimport(void) {}
static inline int khob_native_changed(void) { return 0; }
static inline u64 khob_native_keys(void) { return 0; }
static inline int khob_native_publish(const struct khob_fdt_subtree *sub) { return 0; }
static inline void khob_native_unpublish(void) {}
#endif

#endif /* KHOB_NATIVE_H */
