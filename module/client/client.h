/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module's end asks of the part that has the clients' calls.
 */
#ifndef KHOB_CLIENT_H
#define KHOB_CLIENT_H

/* in.c: nobody calls any more; what is put off is done. */
void khob_client_exit(void);

#endif /* KHOB_CLIENT_H */
