/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client does is written to its parameters/run by name; the write fails, and the log says
 * in which line, if something is not as it should be.
 */
#ifndef ACTIONS_H
#define ACTIONS_H

#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

/* Of an action, which ends there. */
#define CHECK(condition) do {						\
	if (!(condition)) {						\
		pr_err(KBUILD_MODNAME ": line %d: %s\n", __LINE__, #condition); \
		return -EINVAL;						\
	}								\
} while (0)

struct action {
	const char *name;
	int (*run)(void);
};

static inline int run_action(const struct action *actions, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (sysfs_streq(name, actions[i].name))
			return actions[i].run();
	return -ENOENT;
}

/* The parameter, for an array of actions. */
#define RUN_PARAMETER(actions)						\
static int run_set(const char *value, const struct kernel_param *kp)	\
{									\
	return run_action(actions, ARRAY_SIZE(actions), value);	\
}									\
static const struct kernel_param_ops run_ops = { .set = run_set };	\
module_param_cb(run, &run_ops, NULL, 0200)

#endif /* ACTIONS_H */
