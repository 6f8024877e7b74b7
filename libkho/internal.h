/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of libkho use of each other: errors, and the index.
 */
#ifndef KHO_INTERNAL_H
#define KHO_INTERNAL_H

#include "include/kho.h"
#include "index_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* error.c */
enum kho_error kho_fail(enum kho_error error, int err);
enum kho_error kho_fail_errno(int err);

/* index.c: no calls of the system; unit tests and a fuzzer compile it too. */
bool kho_index_name_good(const char *name);
void kho_index_init(struct kho_index_table *index);
size_t kho_index_add(struct kho_index_table *index, const char *name, uint64_t token);
const struct kho_index_entry *kho_index_find(const struct kho_index_table *index,
					     const char *name);
enum kho_error kho_index_check(const struct kho_index_table *index, const char **why);

#ifdef __cplusplus
}
#endif

#endif /* KHO_INTERNAL_H */
