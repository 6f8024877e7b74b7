// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges to aligned orders and keys to maximal physical ranges. Keys sort by order before
 * address (KHO ABI: the order bit is the key's highest), so the ranges of a tree are the
 * merge of one ascending sequence an order.
 */
#include "radix_node.h"
#include "range.h"

/* Splitting */

static bool khob_range_valid(u64 pfn, u64 nr, unsigned int max_order)
{
	return nr && pfn < KHOB_PFN_END && nr <= KHOB_PFN_END - pfn &&
	       max_order <= KHOB_ORDER_MAX;
}

/**
 * struct khob_split - what is left of a range while it is split
 * @pfn: the first page of it
 * @up: a bit for each piece that comes before the largest ones, ascending
 * @run: how many of @max_order follow
 * @down: a bit for each piece behind them, descending
 * @max_order: no piece is larger
 * @keys: what khob_split_next() took last
 *
 * From @pfn on, pieces grow with its alignment, up to the page that is aligned best of the
 * range, and shrink from there on: the digits of both distances are the pieces.
 */
struct khob_split {
	u64 pfn;
	u64 up;
	u64 run;
	u64 down;
	unsigned int max_order;
	u64 keys[KHOB_GROUP];
};

static void khob_split_init(struct khob_split *s, u64 pfn, u64 nr, unsigned int max_order)
{
	u64 end = pfn + nr, rest = ((u64)1 << max_order) - 1;
	u64 middle = end & (U64_MAX << khob_last_bit(pfn ^ end));

	s->pfn = pfn;
	s->up = (middle - pfn) & rest;
	s->run = (middle - pfn) / (rest + 1) + (end - middle) / (rest + 1);
	s->down = (end - middle) & rest;
	s->max_order = max_order;
}

static bool khob_split_more(const struct khob_split *s)
{
	return s->up | s->run | s->down;
}

/* Takes the first piece, which is not one of several of @s->max_order. Return: its order. */
static unsigned int khob_split_piece(struct khob_split *s)
{
	unsigned int order = s->max_order;

	if (s->up) {
		order = khob_first_bit(s->up);
		s->up &= s->up - 1;
	} else if (s->run) {
		s->run--;
	} else {
		order = khob_last_bit(s->down);
		s->down ^= (u64)1 << order;
	}
	s->pfn += (u64)1 << order;
	return order;
}

/* The key of the piece of @order at @pfn. */
static u64 khob_piece_key(u64 pfn, unsigned int order)
{
	return (u64)1 << (KHOB_ORDER_0_BIT - order) | pfn >> order;
}

/*
 * Takes a group off what is left. Return: how many keys it has; 0 if it is a run, which begins
 * with the first one of @s->keys and ends with the second.
 */
static unsigned int khob_split_next(struct khob_split *s)
{
	unsigned int n = 0;

	if (!s->up && s->run > 1) {
		s->keys[0] = khob_piece_key(s->pfn, s->max_order);
		s->keys[1] = s->keys[0] + s->run - 1;
		s->pfn += s->run << s->max_order;
		s->run = 0;
		return 0;
	}
	while (n < KHOB_GROUP && khob_split_more(s) && (s->up || s->run < 2)) {
		u64 pfn = s->pfn;

		s->keys[n++] = khob_piece_key(pfn, khob_split_piece(s));
	}
	return n;
}

int khob_range_split(u64 pfn, u64 nr, unsigned int max_order,
		     int (*fn)(void *ctx, u64 pa, unsigned int order), void *ctx)
{
	struct khob_split s;

	if (!khob_range_valid(pfn, nr, max_order))
		return -EINVAL;
	khob_split_init(&s, pfn, nr, max_order);
	while (khob_split_more(&s)) {
		u64 pa = s.pfn << KHOB_PAGE_SHIFT;
		int err = fn(ctx, pa, khob_split_piece(&s));

		if (err)
			return err;
	}
	return 0;
}

/* A page, or one of a larger order, needs no splitting. Return: 0 if a valid range is not one. */
static u64 khob_only_key(u64 pfn, u64 nr, unsigned int max_order)
{
	unsigned int order = khob_first_bit(nr);

	if (nr & (nr - 1) || pfn & (nr - 1) || order > max_order)
		return 0;
	return khob_piece_key(pfn, order);
}

int khob_radix_add_range(struct khob_radix *r, u64 pfn, u64 nr, unsigned int max_order)
{
	struct khob_split s;
	u64 only;

	if (!khob_range_valid(pfn, nr, max_order) || !khob_counted(r->flags))
		return -EINVAL;
	only = khob_only_key(pfn, nr, max_order);
	if (only)
		return khob_radix_add(r, only);
	khob_split_init(&s, pfn, nr, max_order);
	while (khob_split_more(&s)) {
		u64 begin = s.pfn;
		unsigned int n = khob_split_next(&s);
		int ret = n ? khob_radix_add_batch(r, s.keys, n) :
			      khob_radix_add_run(r, s.keys[0], s.keys[1]);

		if (ret) {
			/*
			 * What ends where a piece ended splits into the same pieces, so that
			 * this finds the keys that were added.
			 */
			if (begin > pfn)
				khob_radix_del_range(r, pfn, begin - pfn, max_order);
			return ret;
		}
	}
	return 0;
}

static bool khob_split_present(struct khob_radix *r, struct khob_split *s)
{
	while (khob_split_more(s)) {
		unsigned int n = khob_split_next(s);

		if (n ? !khob_has_group(r, s->keys, n) :
			!khob_run_present(r, s->keys[0], s->keys[1]))
			return false;
	}
	return true;
}

bool khob_radix_has_range(struct khob_radix *r, u64 pfn, u64 nr, unsigned int max_order)
{
	struct khob_split s;
	u64 only;

	if (!khob_range_valid(pfn, nr, max_order))
		return false;
	only = khob_only_key(pfn, nr, max_order);
	if (only)
		return khob_radix_has(r, only);
	khob_split_init(&s, pfn, nr, max_order);
	return khob_split_present(r, &s);
}

int khob_radix_del_range(struct khob_radix *r, u64 pfn, u64 nr, unsigned int max_order)
{
	struct khob_split s;
	unsigned int n;
	u64 only;

	if (!khob_range_valid(pfn, nr, max_order))
		return -EINVAL;
	only = khob_only_key(pfn, nr, max_order);
	if (only)
		return khob_radix_del(r, only);
	khob_split_init(&s, pfn, nr, max_order);
	n = khob_split_next(&s);
	if (!khob_split_more(&s))
		return n ? khob_del_group(r, s.keys, n) :
			   khob_radix_del_run(r, s.keys[0], s.keys[1]);

	/* More than that: first to see that all of them are there, then to delete them. */
	khob_split_init(&s, pfn, nr, max_order);
	if (!khob_split_present(r, &s))
		return -ENOENT;
	khob_split_init(&s, pfn, nr, max_order);
	while (khob_split_more(&s)) {
		n = khob_split_next(&s);
		if (!n)
			khob_clear_run(r, s.keys[0], s.keys[1]);
		else if (unlikely(khob_del_group(r, s.keys, n)))
			/* A shared tree, where another thread deletes them, too. */
			while (n--)
				khob_radix_del(r, s.keys[n]);
	}
	return 0;
}

/* Reading */

static u64 khob_order_bit(unsigned int order)
{
	return (u64)1 << (KHOB_ORDER_0_BIT - order);
}

/* The page behind the last one of cursor @i's run. */
static u64 khob_cursor_end(const struct khob_range_iter *it, unsigned int i)
{
	unsigned int order = it->order[i];

	return ((it->last[i] ^ khob_order_bit(order)) + 1) << order;
}

/* The first page of cursor @i's run that was not looked at yet. */
static u64 khob_cursor_start(const struct khob_range_iter *it, unsigned int i)
{
	u64 pfn = (it->first[i] ^ khob_order_bit(it->order[i])) << it->order[i];

	return pfn > it->pos ? pfn : it->pos;
}

/*
 * More keys of the leaf that cursor @i is in, as long as no word of it is empty. Between the last
 * key of a word and the first of the next one are less than two words of keys.
 */
static void khob_cursor_extend(struct khob_range_iter *it, unsigned int i)
{
	unsigned int bit = khob_index(it->last[i], 0), n = bit / 64;
	const struct khob_node *leaf = it->leaf[i];
	u64 word;

	if ((u64)128 << it->order[i] > it->slack || !leaf)
		return;
	/* Above @bit; a shift by 64 would be none. */
	word = khob_load(&leaf->table[n]) & (U64_MAX << (bit % 64) << 1);
	do {
		if (word) {
			it->keys[i] += khob_weight(word);
			bit = n * 64 + khob_last_bit(word);
		}
		if (++n == KHOB_TABLE_ENTRIES)
			break;
		word = khob_load(&leaf->table[n]);
	} while (word);
	it->last[i] = (it->last[i] & ~KHOB_LEAF_MASK) | bit;
	/* What comes next is not in it. */
	if (bit == KHOB_LEAF_BITS - 1)
		it->leaf[i] = NULL;
}

/* Sets cursor @i to its first run at or behind key @from. Return: false if there is none. */
static bool khob_cursor_seek(struct khob_range_iter *it, unsigned int i, u64 from)
{
	u64 bit = khob_order_bit(it->order[i]);

	if (from > (bit | (bit - 1)) || !khob_next(it->r, from, &it->first[i], &it->leaf[i]) ||
	    it->first[i] > (bit | (bit - 1)))
		return false;
	it->last[i] = khob_run_end(it->r, it->first[i], &it->leaf[i]);
	it->keys[i] = it->last[i] - it->first[i] + 1;
	if (it->slack)
		khob_cursor_extend(it, i);
	return true;
}

/* One cursor for each order that has pages at or behind @it->pos. */
static void khob_range_seek(struct khob_range_iter *it)
{
	const struct khob_node *leaf = NULL;
	u64 from = 1, key;

	it->nr = 0;
	it->changes = khob_load(&it->r->changes);
	while (it->pos < KHOB_PFN_END && khob_next(it->r, from, &key, &leaf)) {
		unsigned int order = KHOB_ORDER_0_BIT - khob_last_bit(key);
		u64 bit = khob_order_bit(order);

		it->order[it->nr] = order;
		it->leaf[it->nr] = NULL;
		if (khob_cursor_seek(it, it->nr, bit | it->pos >> order))
			it->nr++;
		from = bit << 1;
		leaf = NULL;
	}
}

static void khob_iter_init(struct khob_range_iter *it, const struct khob_radix *r, u64 pfn,
			   u64 slack)
{
	it->r = r;
	it->pos = pfn;
	it->slack = slack;
	khob_range_seek(it);
}

void khob_range_iter_init(struct khob_range_iter *it, const struct khob_radix *r, u64 pfn)
{
	khob_iter_init(it, r, pfn, 0);
}

void khob_extent_iter_init(struct khob_range_iter *it, const struct khob_radix *r, u64 slack)
{
	khob_iter_init(it, r, 0, slack);
}

/* The next run of cursor @i; one that has none is replaced by the last cursor. */
static bool khob_cursor_advance(struct khob_range_iter *it, unsigned int i)
{
	if (khob_cursor_seek(it, i, it->last[i] + 1))
		return true;
	it->nr--;
	it->order[i] = it->order[it->nr];
	it->first[i] = it->first[it->nr];
	it->last[i] = it->last[it->nr];
	it->keys[i] = it->keys[it->nr];
	it->leaf[i] = it->leaf[it->nr];
	return false;
}

bool khob_extent_iter_next(struct khob_range_iter *it, u64 *pfn, u64 *nr, u64 *held)
{
	u64 first = U64_MAX, end;
	unsigned int i;
	bool grown;

	if (khob_shared(it->r->flags) || it->changes != it->r->changes)
		khob_range_seek(it);
	for (i = 0; i < it->nr; i++)
		if (khob_cursor_start(it, i) < first)
			first = khob_cursor_start(it, i);
	if (first == U64_MAX)
		return false;

	/* Nothing starts below @first, so what touches [first, end) extends it upwards. */
	end = first;
	*held = 0;
	do {
		grown = false;
		for (i = 0; i < it->nr;) {
			if (khob_cursor_start(it, i) > end) {
				i++;
				continue;
			}
			if (khob_cursor_end(it, i) > end)
				end = khob_cursor_end(it, i);
			*held += it->keys[i] << it->order[i];
			grown = true;
			/* Another cursor stands at @i if this one has come to its end. */
			khob_cursor_advance(it, i);
		}
	} while (grown);

	it->pos = end;
	/* Keys of several orders may be of the same pages. */
	if (*held > end - first)
		*held = end - first;
	*pfn = first;
	*nr = end - first;
	return true;
}

bool khob_range_iter_next(struct khob_range_iter *it, u64 *pfn, u64 *nr)
{
	u64 held;

	return khob_extent_iter_next(it, pfn, nr, &held);
}

int khob_radix_walk_ranges(struct khob_range_iter *it, u64 end,
			   int (*fn)(void *ctx, u64 pfn, u64 nr), void *ctx)
{
	u64 pfn, nr;
	int err = 0;

	while (!err && it->pos < end && khob_range_iter_next(it, &pfn, &nr)) {
		if (pfn + nr > end) {
			/* Here it goes on, whatever the cursors say. */
			khob_range_iter_init(it, it->r, end);
			nr = end > pfn ? end - pfn : 0;
		}
		if (nr)
			err = fn(ctx, pfn, nr);
	}
	return err;
}
