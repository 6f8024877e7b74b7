// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last thing before the jump: sessions and files are written into memory that the next kernel
 * gets anyway.
 */
#include <linux/reboot.h>

#include "session.h"

static void luo_leave_one(struct luo_cursor *at, struct luo_session *session)
{
	struct khob_luo_session_ser *ser = luo_blocks_next(at);

	/* There is room for all of them, and was from the moment when each was made. */
	if (!ser) {
		pr_err("session %s is lost: no room\n", session->name);
		return;
	}
	memset(ser, 0, sizeof(*ser));
	strscpy(ser->name, session->name, sizeof(ser->name));
	luo_file_write_all(session, &ser->file_set_ser, 0);
}

/* Whether a session of the kernel before goes on to the next one. */
static bool luo_leave_with(const struct luo_session *session)
{
	const struct luo_session *other;
	const struct luo_file *f;

	if (!LUO_CARRIES || session->finished)
		return false;
	list_for_each_entry(other, &luo_sessions.outgoing, list)
		if (!strcmp(other->name, session->name)) {
			pr_warn("session %s of the kernel before gives way to a new one\n",
				session->name);
			return false;
		}
	if (!session->retrieved)
		return true;
	list_for_each_entry(f, &session->files, list)
		if (!f->status && !f->more)
			return true;
	return false;
}

/*
 * From here on nothing changes: who comes now waits until the machine is gone. Nothing can be
 * refused here, and nothing has to be.
 */
static int luo_leave(struct notifier_block *nb, unsigned long action, void *data)
{
	struct luo_session *session;
	struct luo_cursor at;

	if (action != SYS_RESTART)
		return NOTIFY_DONE;
	down_write(&luo_going);
	luo_blocks_start(&at, &luo_sessions.blocks);
	list_for_each_entry(session, &luo_sessions.outgoing, list)
		luo_leave_one(&at, session);
	list_for_each_entry(session, &luo_sessions.incoming, list)
		if (luo_leave_with(session))
			luo_leave_one(&at, session);
	luo_out_write(luo_blocks_end(&at));
	luo_keep_write();
	luo_room_write();
	return NOTIFY_DONE;
}

static struct notifier_block luo_leave_nb = {
	.notifier_call = luo_leave,
};

/**
 * luo_leave_init() - be told of reboots
 *
 * Return: 0 or an errno.
 */
int luo_leave_init(void)
{
	return register_reboot_notifier(&luo_leave_nb);
}

/**
 * luo_leave_exit() - be told no more
 */
void luo_leave_exit(void)
{
	unregister_reboot_notifier(&luo_leave_nb);
}
