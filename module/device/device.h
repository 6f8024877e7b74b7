/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/kho_bridge, the programs' face: what is done with it is in
 * include/uapi/linux/kho_bridge.h.
 */
#ifndef KHOB_DEVICE_H
#define KHOB_DEVICE_H

#include <linux/mutex.h>

#include "core/request.h"
#include "face/face.h"

/**
 * struct khob_said - what an open file was last refused
 * @lock: several threads may use the file
 * @error: the errno; 0 if nothing was refused
 * @sentence: why
 */
struct khob_said {
	struct mutex lock; /* the rest */
	u32 error;
	char sentence[KHOB_ERROR_MAX];
};

/**
 * struct khob_door - one opening of the device
 * @said: to it
 * @seen: changes, up to its last status
 */
struct khob_door {
	struct khob_said said;
	u64 seen;
};

/* One ioctl: whose, and its struct, which was copied and may be changed. */
struct khob_call {
	struct khob_door *door;
	void *arg;
};

/* device.c */
int khob_device_init(void);
void khob_device_exit(void);
void khob_said_init(struct khob_said *said);
/*
 * Ends what khob_listen() has begun, and keeps what was heard, or words of its own, if @ret is an
 * errno. Return: @ret.
 */
long khob_said_end(struct khob_said *said, struct khob_listener *heard, long ret);
long khob_said_get(struct khob_said *said, void __user *to);

/* acts.c: within khob_act_do() */
int khob_act_abi(void *call);
int khob_act_preserve(void *call);
int khob_act_unpreserve(void *call);
int khob_act_compact(void *call);
int khob_act_take(void *call);
int khob_act_kernel(void *call);
int khob_act_give(void *call);
int khob_act_loaded(void *call);
int khob_act_attach(void *call);
int khob_act_restore(void *call);
int khob_act_release(void *call);
/* Not within it: they change nothing, or see to that themselves. */
int khob_look_status(struct khob_call *c);
int khob_look_image(struct khob_call *c);
int khob_look_progress(struct khob_call *c);

/* stream.c: what there is to read, and blobs. Return: a file descriptor, or an error. */
int khob_stream_open(struct khob_call *c);
int khob_stream_put(struct khob_call *c);

#endif /* KHOB_DEVICE_H */
