// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching to what the kernel before left: core/handover.c reads it through the functions
 * here and decides; what it describes is published whole, or not at all.
 */
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "core/bits.h"
#include "in/in.h"

static int khob_attach_read(void *ctx, u64 pa, void *to, u64 len)
{
	return khob_ram_read(pa, to, len);
}

static int khob_attach_interval(void *ctx, u64 start, u64 end, const char **why)
{
	return khob_ram_prove(start, end, why);
}

/* Only from pages that the kernel's own KHO holds at this very moment. */
static int khob_attach_read_held(void *ctx, u64 pa, void *to, u64 len)
{
	u64 at, start, end;
	unsigned int order;

	if (!len || pa + len < pa)
		return -EFAULT;
	for (at = pa; at < pa + len; at = end) {
		if (!khob_native_holds(at, &start, &order))
			return khob_ram_read(pa, to, len);
		end = start + (PAGE_SIZE << order);
	}
	return khob_ram_copy(pa, to, len);
}

static bool khob_attach_held(void *ctx, u64 pa, u64 *start, unsigned int *order)
{
	return khob_native_holds(pa, start, order);
}

static void *khob_attach_alloc(void *ctx, u64 bytes)
{
	/* kvmalloc() warns of what is more than INT_MAX, vmalloc() does not. */
	if (bytes > INT_MAX)
		return __vmalloc(bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	return kvzalloc(bytes, GFP_KERNEL | __GFP_NOWARN);
}

static void khob_attach_free(void *ctx, void *p)
{
	kvfree(p);
}

static int khob_attach_pause(void *ctx)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static struct khob_handover_ops khob_attach_ops = {
	.read = khob_attach_read,
	.interval = khob_attach_interval,
	.alloc = khob_attach_alloc,
	.free = khob_attach_free,
	.pause = khob_attach_pause,
	.nodes = &khob_page_ops,
};

static struct khob_handover_ops khob_attach_held_ops = {
	.read = khob_attach_read_held,
	.interval = khob_attach_interval,
	.held = khob_attach_held,
	.alloc = khob_attach_alloc,
	.free = khob_attach_free,
	.pause = khob_attach_pause,
	.nodes = &khob_page_ops,
};

/*
 * Pages that the kernel before knew to be broken, as far as they lie in what it left: nobody gets
 * them here. All others have been this kernel's since it booted.
 */
static void khob_attach_set_aside(const struct khob_handover *h)
{
	u64 i, start;

	for (i = 0; i < h->nr_records; i++) {
		start = ALIGN_DOWN(h->records[i].addr, PAGE_SIZE);
		if (h->records[i].kind == KHOB_RECORD_POISON &&
		    khob_handover_span(h, start, start + PAGE_SIZE))
			khob_in.poisoned += khob_ram_set_poisoned(start);
		cond_resched();
	}
}

/* For who looks on meanwhile. */
static void khob_attach_begin(u64 bytes)
{
	WRITE_ONCE(khob_in.attach_done, 0);
	WRITE_ONCE(khob_in.attach_all, bytes);
}

static void khob_attach_passed(u64 bytes)
{
	WRITE_ONCE(khob_in.attach_done, khob_in.attach_done + bytes);
}

/* What is neither data nor a subtree is the kernel's again. */
static void khob_attach_free_gaps(struct khob_handover *h)
{
	u64 i, bit, nr, gaps, all = 0;

	for (i = 0; i < h->nr_spans; i++)
		all += h->spans[i].end - h->spans[i].start;
	khob_attach_begin(all);
	for (i = 0; i < h->nr_spans; i++) {
		const struct khob_span *s = &h->spans[i];

		nr = PHYS_PFN(s->end - s->start);
		for (bit = 0; bit < nr; bit += 64) {
			gaps = ~s->kept[bit / 64];
			/* The last word may have more bits than there are pages. */
			if (nr - bit < 64)
				gaps &= BIT_ULL(nr - bit) - 1;
			khob_in.gap_pages += khob_ram_free_some(s->start + PFN_PHYS(bit), gaps);
			khob_attach_passed(PFN_PHYS(min_t(u64, nr - bit, 64)));
			cond_resched();
		}
	}
}

/* Whether a page of metadata is the root FDT that the kernel's own KHO reads at any time. */
static bool khob_attach_fdt_page(const struct khob_handover *h, u64 pa)
{
	const struct khob_kho_data *kho = &h->chain.kho;

	return pa < kho->fdt_addr + kho->fdt_size && pa + PAGE_SIZE > kho->fdt_addr;
}

/*
 * Pages of metadata that the kernel has just made live. It made them so as a whole, since
 * one of its keys may hold both what is given back and blobs that stay.
 */
static void khob_attach_free_live(struct khob_handover *h, u64 pa, u64 end)
{
	for (; pa < end; pa += PAGE_SIZE)
		if (!khob_handover_kept(h, pa, pa + PAGE_SIZE) && !khob_attach_fdt_page(h, pa))
			khob_native_put(pa, 1);
}

static void khob_attach_free_metadata(struct khob_handover *h)
{
	unsigned int order;
	u64 i, pa, end, all = 0;

	for (i = 0; i < h->nr_chunks; i++)
		all += h->chunks[i].size;
	khob_attach_begin(all);
	for (i = 0; i < h->nr_chunks; i++) {
		end = h->chunks[i].addr + h->chunks[i].size;
		for (pa = h->chunks[i].addr; pa < end; pa += PAGE_SIZE << order) {
			cond_resched();
			if (!khob_native_order(pa, &order) || (PAGE_SIZE << order) > end - pa)
				order = 0;
			else if (!khob_native_live(pa, 1ULL << order))
				khob_attach_free_live(h, pa, pa + (PAGE_SIZE << order));
			khob_attach_passed(PAGE_SIZE << order);
		}
	}
}

/* Files of all blobs, which nobody can read before h is published. Return: 0 or -ENOMEM. */
static int khob_attach_show(struct khob_handover *h)
{
	u64 i;
	int ret = 0;

	for (i = 0; !ret && i < h->nr_subtrees; i++)
		if (!h->subtrees[i].gone)
			ret = khob_in_show(&h->subtrees[i]);
	/* What has none is fine. */
	for (i = 0; ret && i < h->nr_subtrees; i++)
		khob_in_hide(&h->subtrees[i]);
	return ret;
}

/* All or nothing: from here on it is there for everybody. */
static void khob_attach_publish(struct khob_handover *h)
{
	khob_in.got = h;
	khob_in.state = KHOB_IN_ATTACHED;
	khob_in.chain_damaged = false;
	khob_in.boot = true;
	khob_in.kexec_tsc = h->meta ? h->meta->kexec_tsc : 0;
	khob_in.tsc_khz = h->meta ? h->meta->tsc_khz : 0;
	khob_in.kexec_count = h->kexec_count;
	khob_in.restored_pages += h->restored_pages;
	memcpy(khob_in.previous_release, h->previous_release, sizeof(h->previous_release));
}

/*
 * Only the sentence is left, and the intervals if they are known for certain. What was refused
 * before is still that when it could not be looked at once more.
 */
static int khob_attach_refused(struct khob_handover *h, int err)
{
	const char *why = h->why[0] ? h->why :
			  err == -EINTR ? "interrupted; try again" :
			  err == -ENOMEM ? "not enough memory; try again" : "unreadable";
	bool unseen = err == -EINTR || err == -ENOMEM;

	khob_refuse(err, "attach: %s", why);
	if (!unseen || khob_in.state != KHOB_IN_REFUSED) {
		khob_in_forget();
		strscpy(khob_in.reason, why, sizeof(khob_in.reason));
		khob_in.state = err == -EBADMSG ? KHOB_IN_REFUSED : KHOB_IN_NONE;
		khob_in.chain_damaged = err == -EBADMSG && !h->chain_sound;
	}
	if (err == -EBADMSG && h->nr_spans) {
		khob_in.refused = h;
	} else {
		khob_handover_free(h);
		kvfree(h);
	}
	return err;
}

/**
 * khob_in_attach() - take over what the kernel before left
 * @setup_data: physical address of the first setup_data node
 *
 * Context: process, khob_lock held for writing.
 *
 * Return: 0; -EEXIST if there is a handover in use already; -EBADMSG if it was
 * refused: khob_in.reason says why, all its memory stays reserved, and it may be tried
 * again; -ENOENT if this kernel's own KHO took it and nothing in it is kho_bridge's;
 * -EOPNOTSUPP where memory is encrypted; -ENOMEM and -EINTR, and then nothing changed.
 */
int khob_in_attach(u64 setup_data)
{
	ktime_t begin = ktime_get();
	struct khob_handover_ops *ops;
	struct khob_handover *h;
	int ret;

	lockdep_assert_held_write(&khob_lock);
	/* Before anything is written there. */
	if (khob_ram_encrypted())
		return khob_refuse(-EOPNOTSUPP, "attach: this kernel encrypts its memory (SME)");
	if (setup_data)
		khob_in_hide_chain(setup_data);
	if (khob_in.state == KHOB_IN_ATTACHED)
		return khob_refuse(-EEXIST, "attach: already attached");
	if (khob_in.going)
		return khob_refuse(-EBUSY, "attach: a kernel is loaded; unload it first");
	if (!setup_data)
		return khob_refuse(-EINVAL, "attach: no setup_data address");
	h = kvzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return khob_refuse(-ENOMEM, "attach: not enough memory; try again");
	khob_in.setup_data = setup_data;
	khob_in.native = khob_native_boot();
	ops = khob_in.native ? &khob_attach_held_ops : &khob_attach_ops;
	ops->end_pa = PFN_PHYS(khob_end_pfn());
	ret = khob_handover_read(setup_data, ops, NULL, h);
	if (!ret)
		ret = khob_attach_show(h);
	if (ret)
		return khob_attach_refused(h, ret);
	khob_in_forget();
	khob_attach_publish(h);
	khob_attach_set_aside(h);
	if (khob_in.native)
		khob_attach_free_metadata(h);
	else
		khob_attach_free_gaps(h);
	khob_attach_begin(0);
	khob_in.attach_us = ktime_us_delta(ktime_get(), begin);
	pr_info("attached: %llu pages and %u subtrees of %s, %llu pages between them freed\n",
		h->pages, khob_in_nr_subtrees(), h->previous_release, khob_in.gap_pages);
	return 0;
}
