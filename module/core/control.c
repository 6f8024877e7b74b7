// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parses control lines: words between blanks, numbers in decimal or 0x hex, each
 * refusal with a sentence for the kernel log. A line need not end in NUL.
 */
#include "control.h"
#include "radix.h"

/* What is left of a line; a word is taken off its front. */
struct khob_text {
	const char *at;
	size_t len;
};

static bool khob_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the newline off a line and refuses what no line holds. */
static int khob_line(const char *line, size_t len, struct khob_text *text, const char **why)
{
	size_t i;

	if (len && line[len - 1] == '\n')
		len--;
	for (i = 0; i < len; i++) {
		if (line[i] == '\n') {
			*why = "there is more than one line";
			return -EINVAL;
		}
		if ((line[i] < ' ' || line[i] > '~') && line[i] != '\t') {
			*why = "the line holds a character that is not printable";
			return -EINVAL;
		}
	}
	text->at = line;
	text->len = len;
	return 0;
}

/* The next word of @text; false at the end of the line. */
static bool khob_word(struct khob_text *text, struct khob_text *word)
{
	while (text->len && khob_blank(*text->at)) {
		text->at++;
		text->len--;
	}
	word->at = text->at;
	while (text->len && !khob_blank(*text->at)) {
		text->at++;
		text->len--;
	}
	word->len = text->at - word->at;
	return word->len > 0;
}

static bool khob_text_is(const struct khob_text *word, const char *what)
{
	return word->len == strlen(what) && !memcmp(word->at, what, word->len);
}

/* If @word is "@key=VALUE": what stands behind the equals sign, in *@value. */
static bool khob_text_value(const struct khob_text *word, const char *key, struct khob_text *value)
{
	size_t len = strlen(key);

	if (word->len <= len || memcmp(word->at, key, len) || word->at[len] != '=')
		return false;
	value->at = word->at + len + 1;
	value->len = word->len - len - 1;
	return true;
}

/* The value of a digit, or 16 if @c is none. */
static unsigned int khob_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool khob_number(const struct khob_text *word, u64 *value)
{
	unsigned int base = 10;
	u64 sum = 0;
	size_t i = 0;

	if (word->len > 2 && word->at[0] == '0' && (word->at[1] == 'x' || word->at[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == word->len)
		return false;
	for (; i < word->len; i++) {
		unsigned int digit = khob_digit(word->at[i]);

		if (digit >= base || sum > (U64_MAX - digit) / base)
			return false;
		sum = sum * base + digit;
	}
	*value = sum;
	return true;
}

/* The next word as a number, or -EINVAL and @complaint. */
static int khob_take_number(struct khob_text *text, u64 *value, const char *complaint,
			    const char **why)
{
	struct khob_text word;

	if (khob_word(text, &word) && khob_number(&word, value))
		return 0;
	*why = complaint;
	return -EINVAL;
}

static int khob_take_end(struct khob_text *text, const char **why)
{
	struct khob_text word;

	if (!khob_word(text, &word))
		return 0;
	*why = "there are words behind the end of the command";
	return -EINVAL;
}

static int khob_take_name(struct khob_text *text, char *name, const char **why)
{
	struct khob_text word;

	if (khob_word(text, &word) && word.len <= KHOB_SUBTREE_NAME_MAX) {
		memcpy(name, word.at, word.len);
		name[word.len] = '\0';
		if (khob_subtree_name_ok(name))
			return 0;
	}
	*why = KHOB_NAME_WANTED;
	return -EINVAL;
}

int khob_parse_u64(const char *line, size_t len, u64 *value, const char **why)
{
	struct khob_text text;
	int err = khob_line(line, len, &text, why);

	if (!err)
		err = khob_take_number(&text, value,
				       "a number is wanted, decimal or 0x hex, of at most 64 bits",
				       why);
	return err ? err : khob_take_end(&text, why);
}

int khob_parse_target(const char *line, size_t len, struct khob_target *t, const char **why)
{
	struct khob_text text, word;
	u64 order;
	int err = khob_line(line, len, &text, why);

	if (err)
		return err;
	memset(t, 0, sizeof(*t));
	if (!khob_word(&text, &word)) {
		*why = "all, an address and an order, or subtree and a name are wanted";
		return -EINVAL;
	}
	if (khob_text_is(&word, "all")) {
		t->what = KHOB_WHAT_ALL;
		return khob_take_end(&text, why);
	}
	if (khob_text_is(&word, "subtree")) {
		t->what = KHOB_WHAT_SUBTREE;
		err = khob_take_name(&text, t->name, why);
		return err ? err : khob_take_end(&text, why);
	}

	t->what = KHOB_WHAT_PAGE;
	if (!khob_number(&word, &t->pa)) {
		*why = "all, an address and an order, or subtree and a name are wanted";
		return -EINVAL;
	}
	err = khob_take_number(&text, &order, "an order is wanted behind the address", why);
	if (err)
		return err;
	t->order = order > KHOB_ORDER_MAX ? KHOB_ORDER_MAX + 1 : order;
	err = khob_check_target(t, why);
	return err ? err : khob_take_end(&text, why);
}

enum { KHOB_WORD_PAGES = 1, KHOB_WORD_ORDER = 2, KHOB_WORD_SEED = 4, KHOB_WORD_SCATTER = 8 };

/* One word of a preserve line. Return: which one it is, or 0 and *@why. */
static unsigned int khob_preserve_word(const struct khob_text *word, struct khob_preserve_req *req,
				       const char **why)
{
	struct khob_text value;
	u64 number;

	if (khob_text_value(word, "pages", &value)) {
		*why = "pages= wants a number above 0";
		return khob_number(&value, &req->pages) ? KHOB_WORD_PAGES : 0;
	}
	if (khob_text_value(word, "seed", &value)) {
		*why = "seed= wants a number";
		return khob_number(&value, &req->seed) ? KHOB_WORD_SEED : 0;
	}
	if (khob_text_value(word, "order", &value)) {
		*why = "order= wants a page order or mixed";
		if (khob_text_is(&value, "mixed")) {
			req->order = KHOB_ORDER_MIXED;
			return KHOB_WORD_ORDER;
		}
		if (!khob_number(&value, &number) || number > KHOB_ORDER_MAX)
			return 0;
		req->order = number;
		return KHOB_WORD_ORDER;
	}
	if (khob_text_value(word, "scatter", &value)) {
		*why = "scatter= wants a percentage from 0 to 100";
		if (!khob_number(&value, &number) || number > 100)
			return 0;
		req->scatter = number;
		return KHOB_WORD_SCATTER;
	}
	*why = "only pages=, order=, seed= and scatter= are known here";
	return 0;
}

int khob_parse_preserve(const char *line, size_t len, struct khob_preserve_req *req,
			const char **why)
{
	const unsigned int wanted = KHOB_WORD_PAGES | KHOB_WORD_ORDER | KHOB_WORD_SEED;
	struct khob_text text, word;
	unsigned int seen = 0;
	int err = khob_line(line, len, &text, why);

	if (err)
		return err;
	memset(req, 0, sizeof(*req));
	while (khob_word(&text, &word)) {
		unsigned int which = khob_preserve_word(&word, req, why);

		if (!which)
			return -EINVAL;
		if (seen & which) {
			*why = "a word is there twice";
			return -EINVAL;
		}
		seen |= which;
	}
	if ((seen & wanted) != wanted) {
		*why = "pages=, order= and seed= are wanted";
		return -EINVAL;
	}
	return khob_check_preserve(req, why);
}

int khob_parse_put(const char *line, size_t len, struct khob_fdt_subtree *sub, const char **why)
{
	struct khob_text text;
	int err = khob_line(line, len, &text, why);

	memset(sub, 0, sizeof(*sub));
	if (!err)
		err = khob_take_name(&text, sub->name, why);
	if (!err)
		err = khob_take_number(&text, &sub->size,
				       "a size in bytes is wanted behind the name", why);
	if (!err)
		err = khob_check_put(sub, why);
	return err ? err : khob_take_end(&text, why);
}

/* What may stand behind the alignment: each word once. */
static int khob_scratch_words(struct khob_text *text, struct khob_scratch_req *req,
			      const char **why)
{
	struct khob_text word, value;
	char name[16];
	u64 node;

	while (khob_word(text, &word)) {
		if (khob_text_is(&word, "low") && !req->low) {
			req->low = true;
		} else if (khob_text_value(&word, "node", &value) && req->node == KHOB_NODE_ANY) {
			if (!khob_number(&value, &node) || node >= KHOB_NODE_ANY) {
				*why = "node= wants the number of a memory node";
				return -EINVAL;
			}
			req->node = node;
		} else if (khob_text_value(&word, "abi", &value) && req->abi == KHOB_ABI_NR) {
			memset(name, 0, sizeof(name));
			if (value.len < sizeof(name))
				memcpy(name, value.at, value.len);
			req->abi = khob_abi_from_compatible(name);
			if (req->abi == KHOB_ABI_NR) {
				*why = "abi= wants a version that the schema has";
				return -EINVAL;
			}
		} else {
			*why = "only low, node= and abi=, each once, may stand behind it";
			return -EINVAL;
		}
	}
	return 0;
}

int khob_parse_scratch(const char *line, size_t len, struct khob_scratch_req *req,
		       const char **why)
{
	struct khob_text text, word;
	int err = khob_line(line, len, &text, why);

	if (err)
		return err;
	memset(req, 0, sizeof(*req));
	req->node = KHOB_NODE_ANY;
	req->abi = KHOB_ABI_NR;
	if (!khob_word(&text, &word)) {
		*why = "take SIZE ALIGN [low] [node=N] [abi=VERSION], kernel or give is wanted";
		return -EINVAL;
	}
	if (khob_text_is(&word, "give"))
		return khob_take_end(&text, why);
	if (khob_text_is(&word, "kernel")) {
		req->what = KHOB_SCRATCH_KERNEL;
		return khob_take_end(&text, why);
	}
	if (!khob_text_is(&word, "take")) {
		*why = "take SIZE ALIGN [low] [node=N] [abi=VERSION], kernel or give is wanted";
		return -EINVAL;
	}
	req->what = KHOB_SCRATCH_TAKE;
	err = khob_take_number(&text, &req->size, "a size in bytes is wanted behind take", why);
	if (!err)
		err = khob_take_number(&text, &req->align,
				       "an alignment in bytes is wanted behind the size", why);
	if (!err)
		err = khob_check_scratch(req, why);
	return err ? err : khob_scratch_words(&text, req, why);
}

int khob_parse_compact(const char *line, size_t len, struct khob_compact_req *req,
		       const char **why)
{
	struct khob_text text, word;
	int err = khob_line(line, len, &text, why);

	if (err)
		return err;
	memset(req, 0, sizeof(*req));
	if (khob_word(&text, &word) && khob_text_is(&word, "all")) {
		req->all = true;
		req->most = U64_MAX;
	} else if (!khob_number(&word, &req->most)) {
		req->most = 0;
	}
	err = khob_check_compact(req, why);
	return err ? err : khob_take_end(&text, why);
}
