// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kept files: those on tmpfs that go along with a kexec, below a subtree of their own. To the rest
 * they are two sessions without a name that nobody can open: what is kept here, and what the kernel
 * before has left. With luo_going for reading.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/xarray.h>

#include "memfd/memfd.h"
#include "session.h"

/* All below; it stands for the locks of the two sessions. */
static DEFINE_MUTEX(luo_keep_lock);

static struct luo_session luo_kept = {
	.name = "of kept files",
	.files = LIST_HEAD_INIT(luo_kept.files),
	.blocks = {
		.list = LIST_HEAD_INIT(luo_kept.blocks.list),
		.size = sizeof(struct khob_luo_file_ser),
		.per = KHOB_LUO_FILES_PER_BLOCK,
	},
	.named = true,
};

static struct luo_session luo_left = {
	.name = "of kept files",
	.files = LIST_HEAD_INIT(luo_left.files),
	.blocks = {
		.list = LIST_HEAD_INIT(luo_left.blocks.list),
		.size = sizeof(struct khob_luo_file_ser),
		.per = KHOB_LUO_FILES_PER_BLOCK,
	},
	.incoming = true,
	.named = true,
};

/* What the next kernel finds; NULL if nothing goes along. */
static struct khob_keep_ser *luo_keep_root;

static int luo_keep_open(void)
{
	struct khob_keep_ser *root;
	int ret;

	if (luo_keep_root)
		return 0;
	root = kho_alloc_preserve(sizeof(*root));
	if (IS_ERR(root))
		return PTR_ERR(root);
	strscpy(root->compatible, KHOB_KEEP_COMPATIBLE_KEEP_V1, sizeof(root->compatible));
	/* As long as nothing is written it is a sound one, of no files. */
	root->digest = luo_keep_digest(root);
	ret = kho_add_subtree(KHOB_KEEP_NAME, root, sizeof(*root));
	if (ret) {
		kho_unpreserve_free(root);
		return ret == -EEXIST ? -EBUSY : ret;
	}
	luo_keep_root = root;
	/* Until nothing goes along any more. */
	__module_get(THIS_MODULE);
	return 0;
}

/* There is a root if there is something that goes along. */
static void luo_keep_settle(void)
{
	if (!luo_keep_root || luo_kept.count || (LUO_CARRIES && luo_left.count))
		return;
	kho_remove_subtree(luo_keep_root);
	kho_unpreserve_free(luo_keep_root);
	luo_keep_root = NULL;
	module_put(THIS_MODULE);
}

/**
 * struct luo_keep_arrival - kept files that are being read
 * @reader: what reads them
 * @claimed: pages that are metadata, by number
 * @tokens: of those that have come so far
 */
struct luo_keep_arrival {
	struct luo_reader reader;
	struct xarray claimed;
	struct xarray tokens;
};

static int luo_keep_arrive_read(void *ctx, u64 pa, void *to, u64 len)
{
	return luo_ram_read(pa, to, len);
}

static int luo_keep_arrive_claim(void *ctx, u64 pa)
{
	struct luo_keep_arrival *arrival = ctx;

	return luo_arrive_claim_page(&arrival->claimed, pa);
}

static int luo_keep_arrive_file(void *ctx, const struct khob_luo_file_ser *ser)
{
	struct luo_keep_arrival *arrival = ctx;
	int ret = xa_insert(&arrival->tokens, ser->token, xa_mk_value(0), GFP_KERNEL);

	if (ret == -EBUSY)
		return luo_refuse(&arrival->reader, -EINVAL, ser->data,
				  "two files have the same token");
	return ret ?: luo_file_arrive(&luo_left, ser);
}

static const struct luo_reader_ops luo_keep_ops = {
	.read = luo_keep_arrive_read,
	.claim = luo_keep_arrive_claim,
	.file = luo_keep_arrive_file,
};

/* They are there, and what told of them is not needed any more. */
static void luo_keep_publish(struct luo_keep_arrival *arrival)
{
	luo_arrive_free(&arrival->claimed);
	pr_info("the kernel before has kept %llu files\n", arrival->reader.files);
	/* What another KHO has forgotten must not arrive again. */
	if (!LUO_CARRIES)
		__module_get(THIS_MODULE);
	else if (luo_left.count && luo_keep_open())
		pr_warn("what nobody restores will be lost with the next kexec\n");
}

static int luo_keep_arrive_from(struct luo_keep_arrival *arrival, phys_addr_t pa, size_t len)
{
	struct luo_reader *reader = &arrival->reader;
	int ret;

	reader->ops = &luo_keep_ops;
	reader->ctx = arrival;
	reader->end_pa = luo_ram_end();
	ret = luo_keep_read(reader, pa, len);
	if (reader->why)
		pr_err("what the kernel before has kept is refused: %s (%#llx)\n", reader->why,
		       reader->where);
	if (ret)
		luo_file_forget_all(&luo_left);
	else
		luo_keep_publish(arrival);
	return ret;
}

/*
 * Looks at what the kernel before has kept, unless that is done. What is refused stays where it
 * is. Return: 0, also if there is nothing; -EIO if it is refused; -EBUSY if a kernel is loaded,
 * which gets it; -ENOMEM, -EINTR.
 */
static int luo_keep_arrive(void)
{
	static bool arrived;
	phys_addr_t pa;
	size_t len;
	int ret;

	if (arrived)
		return 0;
	ret = kho_retrieve_subtree(KHOB_KEEP_NAME, &pa, &len);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = luo_may_take();
	if (ret)
		return ret;

	struct luo_keep_arrival *arrival __free(luo_kvfree) =
		kvzalloc(sizeof(*arrival), GFP_KERNEL);

	if (!arrival)
		return -ENOMEM;
	xa_init(&arrival->claimed);
	xa_init(&arrival->tokens);
	ret = luo_keep_arrive_from(arrival, pa, len);
	xa_destroy(&arrival->tokens);
	xa_destroy(&arrival->claimed);
	arrived = !ret;
	return ret && ret != -ENOMEM && ret != -EINTR ? -EIO : ret;
}

/**
 * luo_keep() - hand a file over, and freeze it
 * @token: what it is called
 * @fd: the caller's descriptor
 *
 * Return: 0; -EEXIST if the token is taken; -EBUSY once a kernel is loaded; as
 * luo_file_preserve(), or an errno of looking at what the kernel before has kept.
 */
int luo_keep(u64 token, int fd)
{
	int ret;

	guard(mutex)(&luo_keep_lock);
	ret = luo_keep_arrive();
	/* It does without the late room: who loads keeps first. */
	if (!ret)
		ret = luo_may_take();
	if (ret)
		return ret;
	if (luo_file_has(&luo_left, token))
		return -EEXIST;
	ret = luo_keep_open();
	if (!ret)
		ret = luo_file_preserve(&luo_kept, token, fd);
	luo_keep_settle();
	return ret;
}

/**
 * luo_keep_drop() - hand none of the files over that were kept here
 *
 * Return: 0; -EBUSY while a kernel is loaded, which gets them; -ENOMEM; an errno of looking at
 * what the kernel before has kept.
 */
int luo_keep_drop(void)
{
	int ret;

	guard(mutex)(&luo_keep_lock);
	if (!luo_kept.count)
		return 0;
	ret = luo_may_take();
	if (ret)
		return ret;
	luo_file_unpreserve_all(&luo_kept);
	luo_keep_settle();
	return 0;
}

/**
 * luo_keep_next() - the kept file with the lowest token
 * @token: the lowest one that counts; the file's
 * @incoming: whether the kernel before has left it
 * @cost: is added to
 *
 * Return: 0; -ENOENT; an errno of looking at what the kernel before has kept.
 */
int luo_keep_next(u64 *token, bool *incoming, struct luo_cost *cost)
{
	const struct luo_file *kept, *left;
	int ret;

	guard(mutex)(&luo_keep_lock);
	ret = luo_keep_arrive();
	if (ret)
		return ret;
	kept = luo_file_next(&luo_kept, *token);
	left = luo_file_next(&luo_left, *token);
	if (!kept && !left)
		return -ENOENT;
	*incoming = !kept || (left && left->token < kept->token);
	if (*incoming)
		kept = left;
	*token = kept->token;
	luo_memfd_cost(kept->data, *incoming, cost);
	return 0;
}

/**
 * luo_keep_adopt() - put a file that the kernel before has kept into an empty one
 * @token: what it is called
 * @fd: the caller's descriptor of the empty one
 *
 * Return: as luo_file_adopt(), or an errno of looking at what the kernel before has kept.
 */
int luo_keep_adopt(u64 token, int fd)
{
	int ret;

	guard(mutex)(&luo_keep_lock);
	ret = luo_keep_arrive();
	/* Only an empty file would not notice by itself. */
	if (!ret)
		ret = luo_may_take();
	if (!ret)
		ret = luo_file_adopt(&luo_left, token, fd);
	luo_keep_settle();
	return ret;
}

/**
 * luo_keep_discard() - free a file that the kernel before has kept
 * @token: what it is called
 *
 * Return: as luo_file_discard(), or an errno of looking at what the kernel before has kept.
 */
int luo_keep_discard(u64 token)
{
	int ret;

	guard(mutex)(&luo_keep_lock);
	ret = luo_keep_arrive();
	if (!ret)
		ret = luo_file_discard(&luo_left, token);
	luo_keep_settle();
	return ret;
}

static u64 luo_keep_write_set(struct luo_session *session, struct khob_keep_set *set, u64 digest)
{
	struct khob_luo_file_set_ser files;

	digest = luo_file_write_all(session, &files, digest);
	*set = (struct khob_keep_set) { .files = files.files, .count = files.count };
	return digest;
}

/**
 * luo_keep_write() - tell the next kernel of what goes along
 *
 * The last thing before the jump, when nothing changes any more.
 */
void luo_keep_write(void)
{
	u64 digest;

	if (!luo_keep_root)
		return;
	digest = luo_keep_write_set(&luo_kept, &luo_keep_root->kept, 0);
	digest = luo_keep_write_set(&luo_left, &luo_keep_root->carried, digest);
	luo_keep_root->files_digest = digest;
	luo_keep_root->digest = luo_keep_digest(luo_keep_root);
}
