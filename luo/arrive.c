// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel before has left becomes sessions here: all of it, or none.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include "memfd/memfd.h"
#include "session.h"

/**
 * struct luo_arrival - sessions that are being read
 * @reader: what reads them
 * @claimed: pages that are metadata, by number
 * @sessions: those that have come so far
 * @session: the last one, whose files come now
 */
struct luo_arrival {
	struct luo_reader reader;
	struct xarray claimed;
	struct list_head sessions;
	struct luo_session *session;
};

static int luo_arrive_read(void *ctx, u64 pa, void *to, u64 len)
{
	return luo_ram_read(pa, to, len);
}

/**
 * luo_arrive_claim_page() - note a page that is metadata
 * @claimed: those that there are, by number
 * @pa: its physical address
 *
 * Return: 0; -EEXIST if it is known; -ENOMEM, -EINTR.
 */
int luo_arrive_claim_page(struct xarray *claimed, u64 pa)
{
	int ret = xa_insert(claimed, PHYS_PFN(pa), xa_mk_value(0), GFP_KERNEL);

	cond_resched();
	/* Lists may be long, and names are compared with all that came before. */
	if (!ret && fatal_signal_pending(current))
		return -EINTR;
	return ret == -EBUSY ? -EEXIST : ret;
}

/**
 * luo_arrive_free() - free what told of what is there now
 * @claimed: pages that are metadata, by number
 */
void luo_arrive_free(struct xarray *claimed)
{
	unsigned long pfn;
	void *entry;

	xa_for_each(claimed, pfn, entry)
		kho_restore_free(phys_to_virt(PFN_PHYS(pfn)));
}

static int luo_arrive_claim(void *ctx, u64 pa)
{
	struct luo_arrival *arrival = ctx;

	return luo_arrive_claim_page(&arrival->claimed, pa);
}

static int luo_arrive_session(void *ctx, const struct khob_luo_session_ser *ser)
{
	struct luo_arrival *arrival = ctx;
	struct luo_session *session;

	list_for_each_entry(session, &arrival->sessions, list)
		if (!strcmp(session->name, ser->name)) {
			pr_err("two sessions are called %*pE\n", (int)strlen(ser->name), ser->name);
			return -EEXIST;
		}
	session = luo_session_new(ser->name);
	if (!session)
		return -ENOMEM;
	session->incoming = true;
	list_add_tail(&session->list, &arrival->sessions);
	arrival->session = session;
	cond_resched();
	return 0;
}

static int luo_arrive_file(void *ctx, const struct khob_luo_file_ser *ser)
{
	struct luo_arrival *arrival = ctx;

	return luo_file_arrive(arrival->session, ser);
}

static const struct luo_reader_ops luo_arrive_ops = {
	.read = luo_arrive_read,
	.claim = luo_arrive_claim,
	.session = luo_arrive_session,
	.file = luo_arrive_file,
};

/* They are there, and what told of them is not needed any more. */
static void luo_arrive_publish(struct luo_arrival *arrival)
{
	luo_arrive_free(&arrival->claimed);
	luo_out_count(arrival->reader.ser.liveupdate_num);
	pr_info("live update %llu: %llu sessions, %llu files\n",
		arrival->reader.ser.liveupdate_num, arrival->reader.sessions,
		arrival->reader.files);
	if (list_empty(&arrival->sessions) && LUO_CARRIES)
		return;
	/* Until the last of them is gone. */
	__module_get(THIS_MODULE);
	list_splice_tail_init(&arrival->sessions, &luo_sessions.incoming);
	luo_sessions.nr_incoming += arrival->reader.sessions;
	if (LUO_CARRIES && luo_out_open())
		pr_warn("what nobody retrieves will be lost with the next kexec\n");
}

static void luo_arrive_forget(struct luo_arrival *arrival)
{
	struct luo_session *session, *next;

	list_for_each_entry_safe(session, next, &arrival->sessions, list) {
		list_del(&session->list);
		luo_file_forget_all(session);
		luo_session_free(session);
	}
}

static int luo_arrive_from(struct luo_arrival *arrival, phys_addr_t pa, size_t len)
{
	struct luo_reader *reader = &arrival->reader;
	int ret;

	reader->ops = &luo_arrive_ops;
	reader->ctx = arrival;
	reader->end_pa = luo_ram_end();
	ret = luo_read(reader, pa, len);
	if (reader->why)
		pr_err("what the kernel before has left is refused: %s (%#llx)\n", reader->why,
		       reader->where);
	if (!ret && LUO_CARRIES)
		ret = luo_blocks_fit(&luo_sessions.blocks,
				     luo_sessions.nr_outgoing + reader->sessions);
	if (!ret)
		luo_arrive_publish(arrival);
	return ret;
}

/* Frees what nobody has used of the late room, and what told of that. */
static void luo_arrive_free_room(const struct khob_late_room_ser *room)
{
	u64 i, n;

	for (i = 0; i < room->nr; i++) {
		const struct khob_late_room_piece *piece = room->pieces + i;

		for (n = 0; n < KHOB_LATE_ROOM_PIECE_PAGES; n++)
			if (!(piece->used[n / 64] >> n % 64 & 1))
				kho_restore_free(phys_to_virt(piece->pa + n * KHOB_PAGE_SIZE));
		cond_resched();
	}
}

/* What the kernel before has set aside and not needed. */
static int luo_arrive_room(void)
{
	const char *why = "its description was not handed over";
	phys_addr_t pa;
	size_t len;
	int ret = kho_retrieve_subtree(KHOB_LATE_ROOM_NAME, &pa, &len);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = luo_may_take();
	if (ret)
		return ret;

	struct khob_late_room_ser *room __free(luo_kvfree) = kvzalloc(sizeof(*room), GFP_KERNEL);

	if (!room)
		return -ENOMEM;
	if (len < sizeof(*room) || luo_ram_read(pa, room, sizeof(*room)) ||
	    luo_room_check(room, luo_ram_end(), &why)) {
		/* Sessions do without. What is reserved stays so. */
		pr_err("the late room of the kernel before is refused: %s (%pa)\n", why, &pa);
		return 0;
	}
	luo_arrive_free_room(room);
	kho_restore_free(phys_to_virt(pa));
	return 0;
}

/**
 * luo_arrive() - make sessions of what the kernel before has left, unless that is done
 *
 * What is refused stays where it is: it goes on to the next kernel, or `khoctl release` frees it.
 *
 * Return: 0, also if there is nothing (yet); -EIO if it is refused; -EBUSY if a kernel is loaded,
 * which gets it; -ENOMEM, -EINTR.
 */
int luo_arrive(void)
{
	static bool arrived;
	phys_addr_t pa;
	size_t len;
	int ret;

	guard(mutex)(&luo_sessions.lock);
	if (arrived)
		return 0;
	ret = luo_arrive_room();
	if (ret)
		return ret;
	ret = kho_retrieve_subtree(KHOB_LUO_NAME, &pa, &len);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = luo_may_take();
	if (ret)
		return ret;

	struct luo_arrival *arrival __free(luo_kvfree) = kvzalloc(sizeof(*arrival), GFP_KERNEL);

	if (!arrival)
		return -ENOMEM;
	xa_init(&arrival->claimed);
	INIT_LIST_HEAD(&arrival->sessions);
	ret = luo_arrive_from(arrival, pa, len);
	if (ret)
		luo_arrive_forget(arrival);
	xa_destroy(&arrival->claimed);
	arrived = !ret;
	return ret && ret != -ENOMEM && ret != -EINTR ? -EIO : ret;
}
