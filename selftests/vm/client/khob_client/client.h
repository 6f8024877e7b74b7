/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of khob_client share. */
#ifndef KHOB_CLIENT_H
#define KHOB_CLIENT_H

#include <linux/printk.h>
#include <linux/types.h>

#include "../actions.h"

struct kho_vmalloc;

/* Of the subtree. */
#define NAME "khob-client"

/* client.c */
void fill(void *to, size_t bytes, u64 seed);
bool filled(const void *from, size_t bytes, u64 seed);
/* Whether it is what fill() has written from byte @at on. */
bool filled_from(const void *from, size_t bytes, u64 seed, size_t at);

/* refuse.c; each returns 0 or what CHECK() does */
int kinds(void);
int exact(void);
int singles(void);
int damaged(const struct kho_vmalloc *from);

#endif /* KHOB_CLIENT_H */
