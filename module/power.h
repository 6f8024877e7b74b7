/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When the machine is about to reboot or to hibernate.
 */
#ifndef KHOB_POWER_H
#define KHOB_POWER_H

int khob_power_init(void);
void khob_power_exit(void);

#endif /* KHOB_POWER_H */
