/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be done with /dev/liveupdate and with the sessions that it opens.
 */
#ifndef KHO_DEVICE_H
#define KHO_DEVICE_H

#include "include/kho.h"

enum kho_error kho_device_session(const char *name, bool came, int *fd);
enum kho_error kho_device_preserve(int session, int fd, uint64_t token);
enum kho_error kho_device_retrieve(int session, uint64_t token, int *fd);
enum kho_error kho_device_finish(int session);

#endif /* KHO_DEVICE_H */
