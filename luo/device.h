/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device, for the module's beginning and end.
 */
#ifndef LUO_DEVICE_H
#define LUO_DEVICE_H

int luo_device_init(void);
void luo_device_exit(void);

#endif /* LUO_DEVICE_H */
