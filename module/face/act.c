// SPDX-License-Identifier: GPL-2.0-only
/*
 * One thing that a user asks for, from who may to what is said when it fails.
 */
#include "face/face.h"

int khob_gone(void)
{
	return khob_refuse(-ESHUTDOWN, "the kernel is about to go: nothing changes any more");
}

int khob_act_do(int cap, int (*act)(void *arg), void *arg, const char *what)
{
	struct khob_listener heard;
	int ret = khob_may(cap);

	if (ret)
		return ret;

	CLASS(khob_act, killed)();
	if (killed)
		return killed;
	if (khob_is_leaving())
		return khob_gone();
	khob_listen(&heard);
	ret = act(arg);
	khob_update_pin();
	khob_unlisten(&heard);
	/* Where memory runs out there is seldom more to say. */
	if (ret < 0 && !heard.sentence[0])
		khob_refuse(ret, "\"%s\": %s (error %d)", what,
			    ret == -ENOMEM ? "out of memory" : "failed", ret);
	khob_changed();
	return ret;
}
