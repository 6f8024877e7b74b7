// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index: which name has which token. What another kernel has left of it is checked before
 * anything in it is used; whoever calls has a copy that nobody else can write.
 */
#include <assert.h>
#include <string.h>

#include "internal.h"

/* Of all versions. */
#define KHO_INDEX_FAMILY "libkho-index-"

static_assert(sizeof(((struct kho_index_entry *)0)->name) == KHO_FILE_NAME_MAX + 1,
	      "names fit the index");
static_assert(sizeof(((struct kho_index_table *)0)->entries) ==
	      KHO_FILES_MAX * sizeof(struct kho_index_entry), "so do files");

/* Whether a field holds a name, and nothing behind it. */
static bool kho_index_field_good(const char *field)
{
	size_t len = strnlen(field, KHO_INDEX_NAME_LENGTH);
	size_t i;

	if (!len || len == KHO_INDEX_NAME_LENGTH)
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)field[i] < ' ' || field[i] == 0x7f)
			return false;
	for (; i < KHO_INDEX_NAME_LENGTH; i++)
		if (field[i])
			return false;
	return true;
}

/**
 * kho_index_name_good() - whether a file may be called so
 * @name: the name
 *
 * Return: true if so.
 */
bool kho_index_name_good(const char *name)
{
	char field[KHO_INDEX_NAME_LENGTH] = { 0 };
	size_t len = strnlen(name, sizeof(field));

	memcpy(field, name, len);
	return kho_index_field_good(field);
}

/**
 * kho_index_init() - an index without a name
 * @index: the index
 */
void kho_index_init(struct kho_index_table *index)
{
	memset(index, 0, sizeof(*index));
	memcpy(index->header.compatible, KHO_INDEX_COMPATIBLE_LIBKHO_INDEX_V1,
	       sizeof(KHO_INDEX_COMPATIBLE_LIBKHO_INDEX_V1));
}

/**
 * kho_index_add() - a name more
 * @index: a sound index that is not full
 * @name: good, and not in the index
 * @token: not in the index
 *
 * Return: which entry it is.
 */
size_t kho_index_add(struct kho_index_table *index, const char *name, uint64_t token)
{
	size_t at = index->header.count++;
	struct kho_index_entry *entry = &index->entries[at];

	memset(entry, 0, sizeof(*entry));
	memcpy(entry->name, name, strlen(name));
	entry->token = token;
	return at;
}

/**
 * kho_index_find() - the entry of a name
 * @index: a sound index
 * @name: any text
 *
 * Return: it, or NULL.
 */
const struct kho_index_entry *kho_index_find(const struct kho_index_table *index, const char *name)
{
	for (size_t i = 0; i < index->header.count; i++)
		if (!strcmp(index->entries[i].name, name))
			return &index->entries[i];
	return NULL;
}

static enum kho_error kho_index_check_header(const struct kho_index_header *header,
					     const char **why)
{
	char known[KHO_INDEX_COMPATIBLE_LENGTH] = KHO_INDEX_COMPATIBLE_LIBKHO_INDEX_V1;

	if (memcmp(header->compatible, KHO_INDEX_FAMILY, strlen(KHO_INDEX_FAMILY))) {
		*why = "it does not say that it is libkho's";
		return KHO_FOREIGN;
	}
	if (memcmp(header->compatible, known, sizeof(known))) {
		*why = "it is of a version that is not known here";
		return KHO_UNSUPPORTED;
	}
	if (header->reserved) {
		*why = "a reserved field is not 0";
		return KHO_DAMAGED;
	}
	if (header->count > KHO_INDEX_ENTRIES_MAX) {
		*why = "it has more names than fit";
		return KHO_DAMAGED;
	}
	return KHO_OK;
}

/* What is wrong with an entry, next to all before it; NULL if nothing is. */
static const char *kho_index_check_entry(const struct kho_index_table *index, size_t at)
{
	const struct kho_index_entry *entry = &index->entries[at];

	if (!kho_index_field_good(entry->name))
		return "a name is empty, has no end, or has control characters";
	if (entry->token == KHO_INDEX_TOKEN)
		return "a name has the index's own token";
	for (size_t i = 0; i < at; i++) {
		if (!strcmp(index->entries[i].name, entry->name))
			return "a name is there twice";
		if (index->entries[i].token == entry->token)
			return "a token is there twice";
	}
	return NULL;
}

/**
 * kho_index_check() - whether what came from another kernel may be believed
 * @index: a copy that nobody else can write
 * @why: a sentence if not
 *
 * Return: KHO_OK, KHO_FOREIGN, KHO_UNSUPPORTED, KHO_DAMAGED.
 */
enum kho_error kho_index_check(const struct kho_index_table *index, const char **why)
{
	enum kho_error err = kho_index_check_header(&index->header, why);

	for (size_t i = 0; !err && i < index->header.count; i++) {
		const char *wrong = kho_index_check_entry(index, i);

		if (wrong) {
			*why = wrong;
			err = KHO_DAMAGED;
		}
	}
	return err;
}
