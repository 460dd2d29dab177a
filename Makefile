# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# tdsmon: see 'make help'. V=1 shows the commands, O=dir builds elsewhere, ARGS= go to tdsmon.

O       ?= build
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
ARCH    := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/;s/ppc64le/powerpc/;s/riscv64/riscv/')
VERSION := 0.1.0

comma   := ,

ifeq ($(V),1)
Q =
say =
else
Q = @
say = @printf '  %-8s %s\n' $(1) $(2);
MAKEFLAGS += --no-print-directory
endif
.DELETE_ON_ERROR:
.SECONDARY: # what is on the way to what is wanted, skeletons for one, stays

# What the build and the tests need of Debian, and the file that shows each set to be there.
BUILD_DEBS := clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libzstd-dev libssl-dev \
	libmicrohttpd-dev libgnutls28-dev libisal-dev libyaml-dev libcrypt-dev \
	libsystemd-dev libcap-dev libseccomp-dev pkg-config
TEST_DEBS  := python3 python3-openssl python3-tds python3-pymssql freetds-bin libjtds-java \
	default-jdk-headless golang-go golang-github-denisenkom-go-mssqldb-dev iproute2 ethtool \
	tcpdump tcpreplay tshark wireshark-common zstd procps libcap2-bin libclang-rt-14-dev \
	chromium curl openssl python3-prometheus-client python3-jsonschema
TEST_DEBS  += systemd lintian groff-base python3-yaml zsh fish # the package and its unit
TEST_DEBS  += qemu-system-x86 busybox-static # Debian's kernels in virtual machines
TEST_DEBS  += podman runc catatonit mmdebstrap # the container image
# Of these the first that the package sources have: the newest clang in Debian 12.
TEST_DEBS  += clang-22,clang-19
# A Node.js from elsewhere serves as well.
TEST_DEBS  += $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
DEMO_DEBS  := iproute2 freetds-bin

BENCH_DEBS := valgrind util-linux curl libndpi-bin
DEB_DEBS   := dpkg-dev
SOAK_DEBS  := python3 python3-tds python3-pymssql freetds-bin iproute2

LIBS     := libbpf libelf zlib libzstd libcrypto libmicrohttpd gnutls libisal yaml-0.1 libcrypt \
	libsystemd libcap libseccomp
CPPFLAGS += -D_GNU_SOURCE -DTDSMON_VERSION='"$(VERSION)"' -Iinclude -Iuser -I$(O)/skel
CFLAGS   ?= -O2 -g
FAT      := -flto=2 -ffat-lto-objects
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes
LDLIBS    = $(shell pkg-config --libs $(LIBS))
# Every allocation that fails is counted: user/lib/memory.c.
override LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc strdup vasprintf asprintf)
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v2 -D__TARGET_ARCH_$(ARCH) -std=gnu11 -Wall -Wextra -Wshadow \
	-Wno-missing-declarations -Wno-unused-parameter -Iinclude -Ivmlinux

USER_SRC := $(wildcard user/*.c user/*/*.c user/*/*/*.c)
LIB_OBJ  := $(patsubst %.c,$(O)/%.o,$(filter-out user/main.c,$(USER_SRC)))
SKEL     := $(patsubst bpf/%.bpf.c,$(O)/skel/%.skel.h,$(wildcard bpf/*.bpf.c))
TESTS    := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/unit/*.c tests/bpf/*.c))
TOOLS    := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/tools/*.c))
BENCHES  := $(patsubst tests/%.c,$(O)/tests/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
# The newest clang: for the tests the tap is also built with it.
NEWEST    = $(or $(lastword $(shell ls /usr/bin/clang-[0-9] /usr/bin/clang-[0-9][0-9] 2>/dev/null | sort -V)),$(CLANG))
SERVER   := $(O)/tests/tds-server
LOAD     := $(O)/tests/tds-load
FUZZERS  := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_OBJ := $(patsubst %.c,$(O)/fuzz/obj/%.o,$(wildcard $(addsuffix /*.c,$(addprefix user/,lib system http \
	engine engine/* source/capture sink sink/*))) user/opener.c)
FUZZ_S   ?= 60
SOAK_S   ?= 3600
FUZZ_CFLAGS = -O1 -g -std=gnu11 -Wall -Wextra -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: all run demo test test-build peers bpf-build check-layers docs install uninstall deb bench soak fuzz fuzz-build vmlinux deps deps-test clean help
all: $(O)/tdsmon

## run: install what is missing, build, and watch this host (ARGS= passes options)
run: deps
	$(Q)$(MAKE) all
	$(Q)$(O)/tdsmon $(ARGS)

## demo: show it alive: a real client logs in to a test server in private network namespaces
demo: deps
	$(Q)sh tests/deps $(DEMO_DEBS)
	$(Q)$(MAKE) all $(SERVER)
	$(Q)tests/demo $(O) $(ARGS)

## test: install what is missing, build and run every test
test: deps deps-test
	$(Q)$(MAKE) test-build peers
	$(Q)tests/run $(O) $(ONLY)

test-build: all $(TESTS) $(TOOLS) $(BENCHES) $(SERVER) $(LOAD) fuzz-build check-layers
	$(Q)$(MAKE) O=$(O)/newest CLANG=$(NEWEST) bpf-build

bpf-build: all $(filter $(O)/tests/bpf/%,$(TESTS))

# The real clients, fetched and compiled while there is a network: most tests run in private ones.
peers:
	$(call say,PEERS,$(O)/peers)mkdir -p $(O)/peers && python3 tests/peers/clients.py $(O) > $(O)/peers/list

## fuzz: fuzz the parsers and the engine, each for FUZZ_S seconds (60)
fuzz: deps deps-test
	$(Q)$(MAKE) fuzz-build
	$(Q)tests/fuzz/fuzz.test $(O) $(FUZZ_S)

## bench: measure what it costs and how fast it is; writes $(O)/bench.txt
bench: deps deps-test
	$(Q)sh tests/deps $(BENCH_DEBS)
	$(Q)$(MAKE) all $(BENCHES) $(SERVER) $(LOAD)
	$(Q)tests/bench/bench $(O) $(ONLY)

# The manual page and the completions are made from docs/MANUAL.md.
DOCS := $(addprefix $(O)/contrib/,tdsmon.8 tdsmon.bash tdsmon.zsh tdsmon.fish)
DOC_FORM = $(patsubst .%,%,$(subst .8,.man,$(suffix $@)))
$(DOCS): docs/MANUAL.md contrib/generate.awk
	@mkdir -p $(@D)
	$(call say,DOC,$@)awk -f contrib/generate.awk -v form=$(DOC_FORM) -v version=$(VERSION) docs/MANUAL.md > $@

docs: $(DOCS)

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share
UNITDIR    ?= $(PREFIX)/lib/systemd/system
BASH_DIR   ?= $(DATADIR)/bash-completion/completions
ZSH_DIR    ?= $(DATADIR)/zsh/site-functions
FISH_DIR   ?= $(DATADIR)/fish/vendor_completions.d

## install: install below PREFIX (/usr/local), in DESTDIR; a configuration that is there stays
install: all $(DOCS)
	$(Q)install -D -m 755 $(O)/tdsmon $(DESTDIR)$(SBINDIR)/tdsmon
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.8 $(DESTDIR)$(MANDIR)/man8/tdsmon.8
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.bash $(DESTDIR)$(BASH_DIR)/tdsmon
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.zsh $(DESTDIR)$(ZSH_DIR)/_tdsmon
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.fish $(DESTDIR)$(FISH_DIR)/tdsmon.fish
	$(Q)install -D -m 644 -t $(DESTDIR)$(DATADIR)/tdsmon contrib/prometheus/*.yml \
		contrib/grafana/tdsmon.json
	$(Q)install -d $(DESTDIR)$(UNITDIR)
	$(Q)sed 's#/usr/sbin/#$(SBINDIR)/#;s#/etc/#$(SYSCONFDIR)/#' contrib/systemd/tdsmon.service \
		> $(DESTDIR)$(UNITDIR)/tdsmon.service
	$(Q)chmod 644 $(DESTDIR)$(UNITDIR)/tdsmon.service
	$(Q)[ -e $(DESTDIR)$(SYSCONFDIR)/tdsmon/tdsmon.conf ] || \
		install -D -m 644 contrib/tdsmon.conf $(DESTDIR)$(SYSCONFDIR)/tdsmon/tdsmon.conf

## uninstall: remove what install installed, but for the configuration
uninstall:
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/tdsmon $(DESTDIR)$(MANDIR)/man8/tdsmon.8 \
		$(DESTDIR)$(BASH_DIR)/tdsmon $(DESTDIR)$(ZSH_DIR)/_tdsmon \
		$(DESTDIR)$(FISH_DIR)/tdsmon.fish $(DESTDIR)$(UNITDIR)/tdsmon.service
	$(Q)rm -rf $(DESTDIR)$(DATADIR)/tdsmon

## deb: build a Debian package, $(O)/tdsmon_VERSION_ARCH.deb
deb: deps
	$(Q)sh tests/deps $(DEB_DEBS)
	$(Q)$(MAKE) all $(DOCS)
	$(Q)contrib/debian/build $(O) $(VERSION)

## soak: watch SOAK_S seconds (3600) of mixed traffic: nothing grows, nothing is lost; writes $(O)/soak.txt
soak: deps
	$(Q)sh tests/deps $(SOAK_DEBS)
	$(Q)$(MAKE) all $(SERVER) $(LOAD)
	$(Q)tests/soak/soak $(O) $(SOAK_S)

fuzz-build: $(FUZZERS) $(O)/fuzz/corpus.stamp

## check-layers: hold the include rules of the rooms
check-layers:
	$(Q)tests/check-layers

## deps: install what the build needs from Debian's packages
deps:
	$(Q)sh tests/deps $(BUILD_DEBS)
deps-test:
	$(Q)sh tests/deps $(TEST_DEBS)

## vmlinux: regenerate vmlinux/vmlinux.h from the running kernel's BTF
vmlinux:
	$(call say,BTF,vmlinux/vmlinux.h)$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c > vmlinux/vmlinux.h

## clean: remove what was built
clean:
	$(Q)rm -rf $(O)

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' Makefile | awk -F'\t' '{ printf "  make %-13s %s\n", $$1, $$2 }'

$(O)/tdsmon: $(O)/user/main.o $(O)/libtdsmon.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/libtdsmon.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# What every packet goes through, optimised as a whole where a program is linked with LTO: a sixth
# fewer instructions than by -O2 and file by file. Most tests are not, so that they link at once.
$(O)/user/engine/%.o: CFLAGS := $(patsubst -O2,-O3,$(CFLAGS)) $(FAT)

$(O)/user/%.o: user/%.c | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What it takes in by .incbin is not among the headers that the compiler lists.
$(O)/user/sink/page.o: user/sink/page/page.html

$(O)/skel/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

# What the tap is measured against.
$(O)/skel/floor.bpf.o: tests/bench/floor.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<
$(O)/tests/bench/kernel: $(O)/skel/floor.skel.h

$(O)/skel/%.skel.h: $(O)/skel/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $(*)_bpf > $@

$(TESTS) $(TOOLS): override LDFLAGS += -fno-lto
$(O)/tdsmon $(BENCHES): override LDFLAGS += $(FAT)
$(TESTS) $(TOOLS) $(BENCHES): $(O)/tests/%: tests/%.c $(O)/libtdsmon.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(O)/libtdsmon.a $(LDLIBS)

$(O)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)$(CLANG) $(CPPFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(O)/fuzz/libtdsmon.a: $(FUZZ_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(FUZZERS): $(O)/fuzz/%: tests/fuzz/%.c $(O)/fuzz/libtdsmon.a
	$(call say,FUZZ,$@)$(CLANG) $(CPPFLAGS) -Itests $(FUZZ_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< \
		$(O)/fuzz/libtdsmon.a $(LDLIBS)

$(O)/fuzz/corpus.stamp: tests/fuzz/corpus.py $(wildcard tests/captures/*.pcap)
	$(call say,SEEDS,$(O)/fuzz/corpus)rm -rf $(O)/fuzz/corpus && $< tests/captures $(O)/fuzz/corpus
	$(Q)touch $@

# The test server and the load generator share no code with tdsmon: one's bug is not the other's.
$(SERVER) $(LOAD): $(O)/tests/tds-%: $(wildcard tests/server/*.c tests/server/*.h)
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) -D_GNU_SOURCE $(CFLAGS) -o $@ tests/server/$*.c \
		$(filter-out tests/server/server.c tests/server/load.c,$(filter %.c,$^)) -lssl -lcrypto -lpthread

-include $(shell find $(O) -path $(O)/container -prune -o -name '*.d' -type f -print 2>/dev/null)
