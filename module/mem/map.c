// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that users have mapped. Whoever owns it asks here before it becomes something else:
 * no page of it has a reference for each mapping, as what is mapped may be memory that
 * the page allocator does not know.
 */
#include <linux/spinlock.h>

#include "mem/mem.h"

/**
 * struct khob_mapping - one mmap(), and what was forked or split off it
 * @list: in khob_mappings
 * @start: physical address
 * @end: exclusive
 * @nr: areas of address spaces
 * @write: for writing
 */
struct khob_mapping {
	struct list_head list;
	u64 start;
	u64 end;
	unsigned int nr;
	bool write;
};

static DEFINE_SPINLOCK(khob_mappings_lock);
static LIST_HEAD(khob_mappings);

static void khob_mapping_open(struct vm_area_struct *vma)
{
	struct khob_mapping *m = vma->vm_private_data;

	spin_lock(&khob_mappings_lock);
	m->nr++;
	spin_unlock(&khob_mappings_lock);
}

static void khob_mapping_close(struct vm_area_struct *vma)
{
	struct khob_mapping *m = vma->vm_private_data;
	bool last;

	spin_lock(&khob_mappings_lock);
	last = !--m->nr;
	if (last)
		list_del(&m->list);
	spin_unlock(&khob_mappings_lock);
	if (last)
		kfree(m);
}

static const struct vm_operations_struct khob_mapping_ops = {
	.open = khob_mapping_open,
	.close = khob_mapping_close,
};

/**
 * khob_map() - let a user map memory
 * @vma: shared; within @len bytes from its offset on
 * @pa: physical address, of whole pages that are the owner's alone
 * @len: bytes
 *
 * Context: process, mmap_lock held for writing, and what keeps the owner from giving it away.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int khob_map(struct vm_area_struct *vma, u64 pa, u64 len)
{
	u64 size = vma->vm_end - vma->vm_start, offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	struct khob_mapping *m;
	int ret;

	if (!PAGE_ALIGNED(pa) || !(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC ||
	    vma->vm_pgoff > PHYS_PFN(len) || size > PAGE_ALIGN(len) - offset)
		return -EINVAL;
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->start = pa;
	m->end = pa + PAGE_ALIGN(len);
	m->nr = 1;
	m->write = vma->vm_flags & VM_MAYWRITE;
	ret = remap_pfn_range(vma, vma->vm_start, PHYS_PFN(pa + offset), size,
			      vma->vm_page_prot);
	if (ret) {
		kfree(m);
		return ret;
	}
	spin_lock(&khob_mappings_lock);
	list_add(&m->list, &khob_mappings);
	spin_unlock(&khob_mappings_lock);
	vma->vm_private_data = m;
	vma->vm_ops = &khob_mapping_ops;
	return 0;
}

bool khob_mapped(u64 start, u64 end, bool write)
{
	struct khob_mapping *m;
	bool found = false;

	spin_lock(&khob_mappings_lock);
	list_for_each_entry(m, &khob_mappings, list)
		found = found || (m->start < end && start < m->end && (m->write || !write));
	spin_unlock(&khob_mappings_lock);
	return found;
}
