// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memfd of the kernel before: described, checked, then taken folio by folio into a new file, or
 * into one that the caller has; or discarded. What cannot be believed is left alone: kho_bridge
 * still holds it.
 */
#include <linux/file.h>
#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/vmalloc.h>

#include "luo.h"
#include "memfd/memfd.h"

/**
 * struct luo_memfd_in - a memfd that is on its way back
 * @ser: a copy of its description, checked
 * @folios: its list of folios, taken over and checked; NULL if there are none
 * @at: the first of them that is not restored
 * @adoption: those that are
 */
struct luo_memfd_in {
	struct khob_memfd_ser ser;
	struct khob_memfd_folio_ser *folios;
	u64 at;
	struct luo_adoption adoption;
};

static void luo_memfd_in_free(struct luo_memfd_in *in)
{
	vfree(in->folios);
	kfree(in);
}

/* Reads and checks; takes nothing. */
static int luo_memfd_in_read(u64 data, struct luo_memfd_in *in)
{
	const char *why = "its description was not handed over";
	int ret = PAGE_ALIGNED(data) ? luo_ram_read(data, &in->ser, sizeof(in->ser)) : -EINVAL;

	if (!ret)
		ret = luo_memfd_check(&in->ser, PHYS_PFN(luo_ram_end()), &why);
	if (ret)
		pr_err("a memfd is not taken over: %s (%#llx)\n", why, data);
	return ret == -EFAULT ? -EINVAL : ret;
}

/* Takes the list of folios over and checks it. *@again: nothing was taken. */
static int luo_memfd_in_take(struct luo_memfd_in *in, bool *again)
{
	const struct kho_vmalloc *list = (const struct kho_vmalloc *)&in->ser.folios;
	const char *why;
	int ret;

	*again = true;
	if (!in->ser.nr_folios)
		return 0;
	in->folios = kho_restore_vmalloc(list);
	if (!in->folios) {
		ret = luo_may_take();
		if (!ret)
			pr_err("a memfd is not taken over: its list of folios is not what was handed over, or there is no memory (%#llx)\n",
			       in->ser.folios.first);
		return ret ?: -EINVAL;
	}
	*again = false;
	ret = luo_memfd_folios_check(in->folios, in->ser.nr_folios, in->ser.size,
				     PHYS_PFN(luo_ram_end()), &why);
	if (ret)
		pr_err("a memfd is not taken over: %s\n", why);
	return ret ? -EIO : 0;
}

/*
 * Return: what begins to bring it back, or an ERR_PTR(); *@again: that may be tried again. @into:
 * NULL if it is to be a new file.
 */
static struct luo_memfd_in *luo_memfd_in_new(u64 data, struct file *into, bool *again)
{
	struct luo_memfd_in *in;
	int ret;

	*again = true;
	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return ERR_PTR(-ENOMEM);
	ret = luo_memfd_in_read(data, in);
	if (ret) {
		*again = false;
		goto err_free;
	}
	in->adoption.size = in->ser.size;
	ret = luo_adopt_start(&in->adoption, into);
	if (ret)
		goto err_free;
	ret = luo_memfd_in_take(in, again);
	if (!ret)
		return in;
	luo_adopt_drop(&in->adoption);
err_free:
	luo_memfd_in_free(in);
	return ERR_PTR(ret);
}

/* Whether a restored folio fits in front of the next one of the list. */
static bool luo_memfd_fits(const struct luo_memfd_in *in, struct folio *folio)
{
	pgoff_t index = in->folios[in->at].index;

	if (!IS_ALIGNED(index, folio_nr_pages(folio)))
		return false;
	return in->at + 1 == in->ser.nr_folios ||
	       in->folios[in->at + 1].index >= index + folio_nr_pages(folio);
}

static int luo_memfd_lost(u64 pfn, const char *why)
{
	pr_err("a memfd is not taken over: %s (%#llx)\n", why, PFN_PHYS(pfn));
	return -EIO;
}

/* Restores as many folios as are adopted at once. */
static int luo_memfd_restore(struct luo_memfd_in *in)
{
	struct luo_adoption *adoption = &in->adoption;

	for (; in->at < in->ser.nr_folios && adoption->nr < LUO_BATCH; in->at++) {
		u64 pfn = in->folios[in->at].pfn;
		struct folio *folio = kho_restore_folio(PFN_PHYS(pfn));

		if (!folio)
			return luo_may_take() ?:
			       luo_memfd_lost(pfn, "a folio is broken, or nobody's");
		if (!luo_memfd_fits(in, folio)) {
			folio_put(folio);
			in->at++;
			return luo_memfd_lost(pfn, "a folio is larger than its place");
		}
		if (!(in->folios[in->at].flags & KHOB_MEMFD_FOLIO_UPTODATE))
			folio_zero_range(folio, 0, folio_size(folio));
		adoption->folios[adoption->nr] = folio;
		adoption->index[adoption->nr++] = in->folios[in->at].index;
		if (fatal_signal_pending(current)) {
			in->at++;
			return -EINTR;
		}
	}
	return 0;
}

/**
 * luo_memfd_retrieve() - take a memfd of the kernel before over
 * @data: where it is described
 * @more: NULL at first; what has become of it so far
 * @into: an empty regular file of shmem's, the same each time; or NULL: a new memfd
 * @file: the file, with a reference
 * @again: if it failed, whether it may be tried again
 *
 * Return: 0; -EBUSY while a kernel is loaded; -ENOMEM, -EINTR; -EOPNOTSUPP for seals that nobody
 * knows; -EINVAL or -EIO if it was damaged. Of @into: -EINVAL, -ENOSPC or -EDQUOT.
 */
int luo_memfd_retrieve(u64 data, void **more, struct file *into, struct file **file, bool *again)
{
	struct luo_memfd_in *in = *more;
	int ret = 0;

	if (!in) {
		in = luo_memfd_in_new(data, into, again);
		if (IS_ERR(in))
			return PTR_ERR(in);
		*more = in;
	} else if (into && file_inode(into) != file_inode(in->adoption.file)) {
		*again = true;
		return -EINVAL;
	}
	while (!ret && (in->at < in->ser.nr_folios || in->adoption.nr)) {
		ret = luo_adopt(&in->adoption);
		if (!ret)
			ret = luo_memfd_restore(in);
	}
	if (ret) {
		*again = ret != -EIO;
		return ret;
	}
	luo_adopt_end(&in->adoption);
	if (!into)
		luo_shmem_dress(in->adoption.file, &in->ser);
	*file = in->adoption.file;
	luo_memfd_in_free(in);
	*more = NULL;
	kho_restore_free(phys_to_virt(data));
	return 0;
}

/**
 * luo_memfd_discard() - free a memfd of the kernel before that nobody wants
 * @data: where it is described
 * @more: what has become of it so far
 */
void luo_memfd_discard(u64 data, void *more)
{
	struct luo_memfd_in *in = more;
	bool again;

	if (!in) {
		in = luo_memfd_in_new(data, NULL, &again);
		if (IS_ERR(in))
			return;
	}
	for (; in->at < in->ser.nr_folios; in->at++) {
		u64 pfn = in->folios[in->at].pfn;
		struct folio *folio = kho_restore_folio(PFN_PHYS(pfn));

		if (folio)
			folio_put(folio);
		cond_resched();
	}
	luo_adopt_drop(&in->adoption);
	luo_memfd_in_free(in);
	kho_restore_free(phys_to_virt(data));
}
