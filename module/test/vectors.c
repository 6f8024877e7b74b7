// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_bridge/sandbox/vectors, in test builds only: what the unit tests check of
 * the core's key coding, checked of the very code that runs in this kernel. The
 * vectors are generated; vectors.h is the unit tests' file.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "debugfs/debugfs.h"
#include "test/test.h"

struct khob_vector {
	u64 pa;
	unsigned int order;
	u64 key;
	unsigned int index[KHOB_TREE_DEPTH]; /* the leaf first */
};

static const struct khob_vector khob_vectors[] = {
#include "test/vectors.h"
};

/* Return: what is not as the vector says, or NULL. */
static const char *khob_vector_wrong(const struct khob_vector *v)
{
	unsigned int order, level;
	u64 key, pa;

	if (khob_key_encode(v->pa, v->order, &key) || key != v->key)
		return "encode";
	if (khob_key_decode(v->key, &pa, &order) || pa != v->pa || order != v->order)
		return "decode";
	for (level = 0; level < KHOB_TREE_DEPTH; level++)
		if (khob_key_index(v->key, level) != v->index[level])
			return "index";
	return NULL;
}

static int khob_vectors_show(struct seq_file *m, void *unused)
{
	const struct khob_vector *first = NULL;
	const char *first_why = NULL, *why;
	size_t i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(khob_vectors); i++) {
		why = khob_vector_wrong(&khob_vectors[i]);
		if (!why)
			continue;
		if (!wrong++) {
			first = &khob_vectors[i];
			first_why = why;
		}
	}
	seq_printf(m, "%zu vectors, %zu wrong", ARRAY_SIZE(khob_vectors), wrong);
	if (first)
		seq_printf(m, ": first %s of 0x%llx %u, key 0x%llx", first_why, first->pa,
			   first->order, first->key);
	seq_putc(m, '\n');
	return 0;
}

KHOB_SHOW_FILE(khob_vectors);

void khob_vectors_init(struct dentry *dir)
{
	debugfs_create_file("vectors", 0600, dir, NULL, &khob_vectors_fops);
}
