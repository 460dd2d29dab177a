/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow_key.h - the kernel's key of a connection. It is short because the kernel hashes and compares all
 * of it for each packet: of IPv4 it holds both addresses, of IPv6 a keyed hash of them, and so it
 * does in tunnels, of the tunnel and what it would hold else. Compiled
 * for BPF and for user space, after wire.h.
 */
#ifndef TDSMON_FLOW_KEY_H
#define TDSMON_FLOW_KEY_H

/* The lower (addr, port) pair first, as in struct flow_key. */
struct tap_key {
	/* IPv4: network order; IPv6: key_hash6() of both; in a tunnel: key_enter() */
	__u32 addr[2];
	__u16 port[2]; /* host order */
};
_Static_assert(sizeof(struct tap_key) == 12, "BPF map key");

/* What user space tells the tap of a connection that is followed. */
struct tap_steer {
	struct tap_key key;
	__u16 server; /* whose latencies these are: latency.h */
	__u8 client;  /* which of the key's ends */
	__u8 level;   /* enum tap_level */
};
_Static_assert(sizeof(struct tap_steer) == 16, "tap_steer()'s packet");

#define TAP_STEERS 128 /* at once */

/* A test run's packet; it ends behind the last of them. */
struct tap_steers {
	__u8 link[16]; /* 0: the kernel takes what it runs a program on for a frame */
	struct tap_steer at[TAP_STEERS];
};

static inline __attribute__((always_inline)) __u64 key_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/*
 * low, high: 16 bytes each at a multiple of 4, the lower one first. The seed is random, of one run,
 * so that nobody can choose addresses that are taken for another's.
 */
static inline __attribute__((always_inline)) __u64 key_hash6(__u64 seed0, __u64 seed1,
							     const void *low, const void *high)
{
	__u64 words[4], hash = seed0;

	__builtin_memcpy(words, low, 16);
	__builtin_memcpy(words + 2, high, 16);
	hash = key_mix(hash, words[0]);
	hash = key_mix(hash, words[1] ^ seed1);
	hash = key_mix(hash, words[2]);
	hash = key_mix(hash, words[3] ^ seed1);
	return hash * 0xbf58476d1ce4e5b9ull ^ hash >> 32;
}

/*
 * In a tunnel both words are a keyed hash, of themselves and of the tunnel: within one tunnel
 * different words stay different, as each step can be undone; in different ones, and with the words
 * of what is in none, all 64 bits would have to meet by chance.
 */
static inline __attribute__((always_inline)) void key_enter(struct tap_key *key, __u64 seed0,
							    __u64 seed1, __u32 tunnel)
{
	__u64 hash = (__u64)key->addr[1] << 32 | key->addr[0];

	if (!tunnel)
		return;
	hash = key_mix(hash, seed0);
	hash = key_mix(hash, seed1);
	hash = key_mix(hash, tunnel);
	hash = key_mix(hash, seed0);
	key->addr[0] = (__u32)hash;
	key->addr[1] = hash >> 32;
}

#endif
