// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each ioctl does: its struct becomes a request, which the parts carry out.
 */
#include "device/device.h"

int khob_act_abi(void *call)
{
	const struct khob_call *c = call;
	const char *why = NULL;
	enum khob_abi abi;

	if (khob_request_abi(c->arg, &abi, &why))
		return khob_refuse(-EINVAL, "abi: %s", why);
	return khob_out_set_abi(khob_abi_compatible(abi));
}

int khob_act_preserve(void *call)
{
	const struct khob_call *c = call;
	struct khob_preserve_req req;
	const char *why = NULL;

	if (khob_request_preserve(c->arg, &req, &why))
		return khob_refuse(-EINVAL, "preserve: %s", why);
	return khob_out_preserve(&req);
}

/* For what has a target. */
static int khob_act_target(const struct khob_call *c, const char *what,
			   int (*act)(const struct khob_target *t))
{
	struct khob_target target;
	const char *why = NULL;

	if (khob_request_target(c->arg, &target, &why))
		return khob_refuse(-EINVAL, "%s: %s", what, why);
	return act(&target);
}

int khob_act_unpreserve(void *call)
{
	return khob_act_target(call, "unpreserve", khob_out_unpreserve);
}

int khob_act_restore(void *call)
{
	return khob_act_target(call, "restore", khob_in_restore);
}

int khob_act_release(void *call)
{
	return khob_act_target(call, "release", khob_in_release);
}

int khob_act_compact(void *call)
{
	const struct khob_call *c = call;
	struct kho_bridge_compact *compact = c->arg;
	u64 before = khob_out.nr_compactions;
	struct khob_compact_req req;
	const char *why = NULL;
	int ret;

	if (khob_request_compact(compact, &req, &why))
		return khob_refuse(-EINVAL, "compact: %s", why);
	ret = khob_out_compact(&req);
	if (khob_out.nr_compactions == before)
		return ret;
	compact->folios = khob_out.compacted.folios;
	compact->bytes = khob_out.compacted.bytes;
	compact->left = khob_out.compacted.left;
	compact->us = khob_out.compacted.us;
	return ret;
}

int khob_act_take(void *call)
{
	const struct khob_call *c = call;
	struct kho_bridge_scratch *scratch = c->arg;
	struct khob_scratch_req req;
	const char *why = NULL;
	u64 pa = 0;
	int ret;

	if (khob_request_scratch(scratch, &req, &why))
		return khob_refuse(-EINVAL, "scratch: %s", why);
	ret = khob_scratch_take(&req, c->door, &pa);
	scratch->pa = pa;
	scratch->largest = ret == -ENOMEM ? khob_out.scratch_largest : 0;
	return ret;
}

int khob_act_kernel(void *call)
{
	const struct khob_call *c = call;

	return khob_scratch_kernel(c->door);
}

int khob_act_give(void *call)
{
	const struct khob_call *c = call;

	return khob_scratch_give(c->door);
}

int khob_act_loaded(void *call)
{
	const struct khob_call *c = call;

	return khob_scratch_loaded(c->door);
}

int khob_act_attach(void *call)
{
	const struct khob_call *c = call;
	const struct kho_bridge_attach *attach = c->arg;

	if (attach->reserved)
		return khob_refuse(-EINVAL, "attach: a field that has no meaning is not 0");
	return khob_in_attach(attach->setup_data);
}

int khob_look_status(struct khob_call *c)
{
	struct kho_bridge_status *s = c->arg;
	int ret = khob_status_fill(s);

	if (!ret)
		WRITE_ONCE(c->door->seen, s->changes);
	return ret;
}

int khob_look_progress(struct khob_call *c)
{
	struct kho_bridge_progress *progress = c->arg;

	if (progress->reserved)
		return khob_refuse(-EINVAL, "progress: a field that has no meaning is not 0");
	progress->done = READ_ONCE(khob_in.attach_done);
	progress->all = READ_ONCE(khob_in.attach_all);
	return 0;
}

int khob_look_image(struct khob_call *c)
{
	struct kho_bridge_image *image = c->arg;
	char comm[TASK_COMM_LEN];
	int ret = 0;

	CLASS(khob_user_lock, killed)();
	if (killed)
		return killed;
	image->state = khob_image_state();
	image->pid = khob_image_loader(comm);
	strscpy(image->comm, comm, sizeof(image->comm));
	if (khob_out.frozen && khob_native_source())
		ret = khob_native_changed();
	image->others_changed = ret > 0;
	return min(ret, 0);
}
