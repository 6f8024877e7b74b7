// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that other modules take over of the kernel before: the calls that they make.
 */
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "client/client.h"
#include "khob/kho_bridge.h"
#include "out/out.h"

/*
 * Who takes pages out of what is held does so alone, but beside those who preserve: with
 * khob_lock for reading, and this. A kernel that is loaded gets all of them, so that then there
 * is nothing to take. When nothing is left the module may go, which is decided with khob_lock for
 * writing.
 */
static DEFINE_MUTEX(khob_taking);

/*
 * Single pages that have become live and that their zone does not know of yet: kernels work out
 * anew what each zone has to keep whenever one is told. So they are told of some at once, or a
 * tick later. With khob_taking.
 */
static struct khob_untold {
	struct page *last; /* of them, all in one zone; NULL if there are none */
	long nr;
} khob_untold;

#define KHOB_UNTOLD_MAX 64

static void khob_tell(void)
{
	if (khob_untold.last)
		adjust_managed_page_count(khob_untold.last, khob_untold.nr);
	khob_untold = (struct khob_untold) {};
}

static void khob_tell_late(struct work_struct *work)
{
	guard(mutex)(&khob_taking);
	khob_tell();
}

static DECLARE_DELAYED_WORK(khob_telling, khob_tell_late);

void khob_client_exit(void)
{
	cancel_delayed_work_sync(&khob_telling);
	khob_tell_late(NULL);
}

/* A page that was taken by khob_in_take_page() is the caller's from now on. */
static struct page *khob_live_page(phys_addr_t phys)
{
	struct page *page = pfn_to_page(PHYS_PFN(phys));

	if (khob_untold.last && unlikely(page_zone(khob_untold.last) != page_zone(page)))
		khob_tell();
	khob_ram_unreserve(page, 1);
	khob_untold.last = page;
	if (++khob_untold.nr == KHOB_UNTOLD_MAX)
		khob_tell();
	else if (khob_untold.nr == 1)
		schedule_delayed_work(&khob_telling, 1);
	return page;
}

/* @give_up: if the caller is being killed. Return: whether there is something to take from. */
static bool khob_taking_lock(bool give_up)
{
	bool locked = true;

	if (!give_up)
		khob_read_lock();
	else if (khob_read_lock_killable())
		return false;
	if (khob_out.frozen)
		locked = false;
	else if (give_up)
		locked = !mutex_lock_killable(&khob_taking);
	else
		mutex_lock(&khob_taking);
	if (!locked)
		khob_read_unlock();
	return locked;
}

/* @took: there is less than before */
static void khob_taking_unlock(bool took)
{
	bool last = took && !khob_in_holds();

	mutex_unlock(&khob_taking);
	khob_read_unlock();
	if (!last)
		return;
	guard(khob_write)();
	khob_update_pin();
}

static struct folio *khob_take_folio(phys_addr_t phys)
{
	unsigned int order;

	if (khob_in_take_page(phys))
		return page_folio(khob_live_page(phys));
	if (!khob_in_held(phys, &order) || order > (KHOB_COMPOUND ? KHOB_BUDDY_ORDER_MAX : 0) ||
	    khob_in_claim(phys, 1ULL << order))
		return NULL;
	khob_in_take(phys, 1ULL << order);
	return khob_in_folio(phys, order);
}

struct folio *khob_restore_folio(phys_addr_t phys)
{
	struct folio *folio;

	if (!khob_taking_lock(true))
		return NULL;
	folio = khob_take_folio(phys);
	khob_taking_unlock(folio);
	return folio;
}
EXPORT_SYMBOL_GPL(khob_restore_folio);

struct page *khob_restore_pages(phys_addr_t phys, unsigned long nr)
{
	struct page *page = NULL;
	bool took;

	if (!khob_taking_lock(true))
		return NULL;
	took = nr == 1 && khob_in_take_page(phys);
	if (took) {
		page = khob_live_page(phys);
	} else {
		took = !khob_in_claim(phys, nr);
		if (took)
			khob_in_take(phys, nr);
		if (took && !khob_in_live(phys, nr))
			page = pfn_to_page(PHYS_PFN(phys));
	}
	khob_taking_unlock(took);
	return page;
}
EXPORT_SYMBOL_GPL(khob_restore_pages);

int khob_restore_free(void *mem)
{
	unsigned int order;
	int ret = -ENOENT;
	u64 pa;

	if (!mem)
		return 0;
	if (!virt_addr_valid(mem))
		return -ENOENT;
	pa = __pa(mem);
	if (!khob_taking_lock(false))
		return -ENOENT;
	if (khob_in_held(pa, &order) && !khob_in_claim(pa, 1ULL << order)) {
		khob_in_take(pa, 1ULL << order);
		khob_in_free(pa, 1ULL << order);
		ret = 0;
	}
	khob_taking_unlock(!ret);
	return ret;
}
EXPORT_SYMBOL_GPL(khob_restore_free);

bool khob_is_enabled(void)
{
	return true;
}
EXPORT_SYMBOL_GPL(khob_is_enabled);

bool khob_is_boot(void)
{
	return READ_ONCE(khob_in.boot);
}
EXPORT_SYMBOL_GPL(khob_is_boot);
