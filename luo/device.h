/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices, for the module's beginning and end.
 */
#ifndef LUO_DEVICE_H
#define LUO_DEVICE_H

/* device.c */
int luo_device_init(void);
void luo_device_exit(void);

/* admin.c */
int luo_admin_init(void);
void luo_admin_exit(void);

#endif /* LUO_DEVICE_H */
