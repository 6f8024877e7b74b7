/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test builds only: files in debugfs that damage what is handed over, and that check the
 * core in this very kernel.
 */
#ifndef KHOB_TEST_H
#define KHOB_TEST_H

struct dentry;

#ifdef KHOB_TEST
void khob_test_init(void);
void khob_prove_init(struct dentry *dir);
void khob_vectors_init(struct dentry *dir);
void khob_race_init(struct dentry *dir);
#ifdef KHOB_NATIVE
void khob_kernel_api_init(struct dentry *dir);
#else
static inline void khob_kernel_api_init(struct dentry *dir) {}
#endif
#else
static inline void khob_test_init(void) {}
#endif

#endif /* KHOB_TEST_H */
