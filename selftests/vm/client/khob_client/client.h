/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of khob_client share. */
#ifndef KHOB_CLIENT_H
#define KHOB_CLIENT_H

#include <linux/printk.h>
#include <linux/types.h>

struct kho_vmalloc;

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		pr_err("khob_client: line %d: %s\n", __LINE__, #condition);	\
		return -EINVAL;						\
	}								\
} while (0)

/* client.c */
void fill(void *to, size_t bytes, u64 seed);
bool filled(const void *from, size_t bytes, u64 seed);
/* Whether it is what fill() has written from byte @at on. */
bool filled_from(const void *from, size_t bytes, u64 seed, size_t at);

/* refuse.c; each returns 0 or what CHECK() does */
int kinds(void);
int exact(void);
int damaged(const struct kho_vmalloc *from);

#endif /* KHOB_CLIENT_H */
