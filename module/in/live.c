// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that were handed over become this kernel's: through its own KHO if that has taken
 * them, else as its boot code would free what it had reserved.
 */
#include "in/in.h"

/* Makes pages live, each with a reference of its own. Return: 0; -ENOENT: others have them. */
int khob_in_live(u64 pa, u64 nr)
{
	if (khob_in.native)
		return khob_native_live(pa, nr);
	khob_ram_live(pa, nr);
	return 0;
}

/* Makes pages live as one folio with one reference; as khob_ram_folio(). */
struct folio *khob_in_folio(u64 pa, unsigned int order)
{
	return khob_in.native ? khob_native_folio(pa) : khob_ram_folio(pa, order);
}

/* Makes pages live and frees them. */
void khob_in_free(u64 pa, u64 nr)
{
	if (khob_in.native)
		khob_native_free(pa, nr);
	else
		khob_ram_free(pa, nr);
}
