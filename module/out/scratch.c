// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch: contiguous memory for the next kernel to be loaded to and to boot in. The
 * first area freezes what is handed over, giving all of them back thaws it.
 */
#include <linux/nodemask.h>
#include <linux/sizes.h>

#include "out/out.h"

/* Whether whoever is at @door may go on. Return: 0 or -EBUSY. */
static int khob_scratch_may(const void *door)
{
	char comm[TASK_COMM_LEN];
	pid_t pid;

	if (!khob_out.frozen || khob_out.door == door)
		return 0;
	pid = khob_image_loader(comm);
	return khob_refuse(-EBUSY, "scratch: %s (PID %d) is loading a kernel", comm, pid);
}

/* The same for who wants more, which once a kernel is loaded nobody gets. */
static int khob_scratch_may_take(const void *door)
{
	if (khob_out.frozen && khob_image_is_settled())
		return khob_refuse(-EBUSY, "scratch: a kernel is loaded; unload it first");
	return khob_scratch_may(door);
}

/**
 * khob_scratch_take() - one more area of scratch; the first one freezes
 * @req: its size is rounded up to pages
 * @door: who asks
 * @pa: where its physical address goes
 *
 * Return: 0; -EINVAL; -EBUSY; -ENOMEM, with the largest piece in khob_out.scratch_largest.
 */
int khob_scratch_take(const struct khob_scratch_req *req, const void *door, u64 *pa)
{
	struct khob_scratch_area *area __free(kfree) = NULL;
	struct khob_where where = { .end = ULONG_MAX, .nid = NUMA_NO_NODE };
	unsigned long nr, align_pages;
	int ret = khob_scratch_may_take(door);

	if (ret)
		return ret;
	if (!req->size || req->size > PFN_PHYS(khob_end_pfn()) ||
	    req->align > PFN_PHYS(khob_end_pfn()))
		return khob_refuse(-EINVAL, "scratch: %llu bytes are none, or more than the RAM",
				   req->size);
	if (req->low)
		where.end = PHYS_PFN(SZ_4G);
	if (req->node != KHOB_NODE_ANY) {
		if (req->node >= MAX_NUMNODES || !node_online(req->node))
			return khob_refuse(-EINVAL, "scratch: there is no node %u", req->node);
		where.nid = req->node;
	}
	if (req->abi != KHOB_ABI_NR && khob_out.frozen)
		return khob_refuse(-EINVAL, "scratch: abi= goes with the first area only");
	nr = PFN_UP(req->size);
	align_pages = max(PFN_DOWN(req->align), 1UL);
	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return khob_refuse(-ENOMEM, "scratch: no memory to keep account of an area");
	area->nr = nr;
	ret = khob_contig_alloc_at(nr, align_pages, &where, &area->pfn);
	if (ret) {
		khob_out.scratch_largest = PFN_PHYS(khob_contig_largest(nr, align_pages, &where));
		return khob_refuse(ret, "scratch: no %llu contiguous bytes%s, at most %llu",
				   req->size, req->low ? " below 4 GiB" : "",
				   khob_out.scratch_largest);
	}
	if (!khob_out.frozen) {
		ret = khob_freeze(req->abi == KHOB_ABI_NR ? khob_out.abi : req->abi, false,
				  door);
		if (ret) {
			khob_contig_free(area->pfn, nr);
			return ret;
		}
	}
	*pa = PFN_PHYS(area->pfn);
	khob_out.scratch_bytes += PFN_PHYS(nr);
	khob_out.nr_scratch++;
	list_add_tail(&no_free_ptr(area)->list, &khob_out.scratch);
	return 0;
}

static void khob_scratch_give_all(void)
{
	struct khob_scratch_area *area, *next;

	list_for_each_entry_safe(area, next, &khob_out.scratch, list) {
		khob_contig_free(area->pfn, area->nr);
		list_del(&area->list);
		kfree(area);
	}
	khob_out.nr_scratch = 0;
	khob_out.scratch_bytes = 0;
	if (khob_out.frozen)
		khob_thaw();
}

/* All of it back, and thawed. Return: 0 or -EBUSY. */
int khob_scratch_give(const void *door)
{
	int ret = khob_image_is_settled() ? 0 : khob_scratch_may(door);

	if (!ret)
		khob_scratch_give_all();
	return ret;
}

/* The kernel for which it was taken is loaded. Return: 0; -ENOENT; -EBUSY. */
int khob_scratch_loaded(const void *door)
{
	if (!khob_out.frozen || khob_image_is_settled())
		return khob_refuse(-ENOENT, "loaded: nobody is loading a kernel");
	return khob_scratch_may(door) ?: khob_image_settle();
}

/*
 * Nobody is at @door any more. What it has frozen for a kernel that is not loaded is thawed;
 * if that is loaded it may have been about to say so.
 */
void khob_scratch_close(const void *door)
{
	if (!khob_out.frozen || khob_out.door != door || khob_image_is_settled())
		return;
	if (khob_is_leaving())
		return;
	if (!khob_image_is_there() || khob_image_settle())
		khob_scratch_give_all();
}

/**
 * khob_scratch_kernel() - freeze for a handover by the kernel's own KHO
 *
 * @door: who asks
 *
 * The kernel has scratch of its own; an area may be taken besides, for where that is small.
 *
 * Return: 0; -EOPNOTSUPP if the kernel has no KHO, or has it switched off; -EBUSY if frozen.
 */
int khob_scratch_kernel(const void *door)
{
	struct khob_fdt_info info;
	void *fdt;

	if (!khob_native_source())
		return khob_refuse(-EOPNOTSUPP,
				   "scratch: this kernel has no KHO of its own, or it is off");
	if (khob_out.frozen)
		return khob_scratch_may(door) ?:
		       khob_refuse(-EBUSY, "scratch: a kernel is loaded; unload it first");
	fdt = khob_native_fdt(&info);
	if (IS_ERR(fdt))
		return PTR_ERR(fdt);
	kvfree(fdt);
	return khob_freeze(info.abi, true, door);
}
