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
.SECONDARY: # keep intermediate files such as skeletons

# Debian packages that the build, the tests and the tools need.
BUILD_DEBS := clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libzstd-dev libssl-dev \
	libmicrohttpd-dev libgnutls28-dev libyaml-dev libcrypt-dev \
	libcap-dev libseccomp-dev libncurses-dev libjansson-dev uthash-dev libcurl4-gnutls-dev pkg-config
TEST_DEBS  := python3 python3-openssl python3-tds python3-pymssql freetds-bin libjtds-java \
	default-jdk-headless golang-go golang-github-denisenkom-go-mssqldb-dev iproute2 ethtool \
	tcpdump tcpreplay tshark wireshark-common zstd procps libcap2-bin libclang-rt-14-dev \
	chromium curl openssl python3-prometheus-client python3-jsonschema python3-html5lib
CHECK_DEBS := python3 clang-format cppcheck
TEST_DEBS  += $(CHECK_DEBS) clang-tidy
TEST_DEBS  += systemd lintian groff-base python3-yaml zsh fish # the package and its unit
TEST_DEBS  += krb5-kdc krb5-user krb5-admin-server python3-gssapi python3-ntlm-auth # a KDC, and a client with tickets
TEST_DEBS  += samba samba-ad-dc samba-ad-provision samba-dsdb-modules winbind # a domain controller, and a member
TEST_DEBS  += qemu-system-x86 busybox-static # Debian's kernels in virtual machines
TEST_DEBS  += gcc-aarch64-linux-gnu qemu-user-static # a build for arm64
ARM64_DEBS := qemu-system-arm # and its kernel, for make arm64
TEST_DEBS  += tmux # a terminal for tdsmon top
TEST_DEBS  += rsyslog rsyslog-relp # shipping records
TEST_DEBS  += podman runc catatonit mmdebstrap # the container image
# The first of these that the package sources have: the newest clang in Debian 12.
TEST_DEBS  += clang-22,clang-19
# A Node.js that is no Debian package will do.
TEST_DEBS  += $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
DEMO_DEBS  := iproute2 freetds-bin

BENCH_DEBS := valgrind util-linux curl libndpi-bin
DEB_DEBS   := dpkg-dev
RPM_DEBS   := rpm
TEST_DEBS  += $(RPM_DEBS)
SOAK_DEBS  := python3 python3-tds python3-pymssql freetds-bin iproute2

LIBS     := libbpf libelf zlib libzstd libcrypto libmicrohttpd gnutls yaml-0.1 libcrypt \
	libcap libseccomp ncursesw jansson
CPPFLAGS += -D_GNU_SOURCE -DTDSMON_VERSION='"$(VERSION)"' -Iinclude -Iuser -I$(O)/skel
CFLAGS   ?= -O2 -g
FAT      := -flto=2 -ffat-lto-objects
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes
# Protection of a program that reads bytes from outside; tests/package/hardening.test reads it off the result.
# FORTIFY_SOURCE needs an optimising compiler: a build without one says HARDEN= and HARDEN_LD=.
HARDEN    := -fPIE -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARDEN_LD := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed
LDLIBS    = $(shell pkg-config --libs $(LIBS)) -lm
# Failed allocations are counted: user/lib/memory.c.
override LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc strdup vasprintf asprintf \
	__vasprintf_chk __asprintf_chk)
# BPF's instruction set: v3 has arithmetic and jumps of 32 bits, which Linux knows since 5.1.
BPF_CPU    := v3
BPF_CFLAGS = -O2 -g -target bpf -mcpu=$(BPF_CPU) -D__TARGET_ARCH_$(ARCH) -std=gnu11 -Wall -Wextra -Wshadow \
	-Wno-missing-declarations -Wno-unused-parameter -Iinclude -Ivmlinux

USER_SRC := $(wildcard user/*.c user/*/*.c user/*/*/*.c)
LIB_OBJ  := $(patsubst %.c,$(O)/%.o,$(filter-out user/main.c,$(USER_SRC)))
SKEL     := $(patsubst bpf/%.bpf.c,$(O)/skel/%.skel.h,$(wildcard bpf/*.bpf.c))
UNITS    := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/unit/*.c))
TESTS    := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/unit/*.c tests/bpf/*.c))
TOOLS    := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/tools/*.c))
BENCHES  := $(patsubst tests/%.c,$(O)/tests/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
# The newest clang: the tests build the tap with it as well.
NEWEST    = $(or $(lastword $(shell ls /usr/bin/clang-[0-9] /usr/bin/clang-[0-9][0-9] 2>/dev/null | sort -V)),$(CLANG))
SERVER   := $(O)/tests/tds-server
LOAD     := $(O)/tests/tds-load
FUZZERS  := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_OBJ := $(patsubst %.c,$(O)/fuzz/obj/%.o,$(wildcard $(addsuffix /*.c,$(addprefix user/,lib system http \
	engine engine/* save source/capture source/errorlog sink sink/* report))) user/opener.c user/opener_process.c user/save_slots.c)
FUZZ_S   ?= 60
SOAK_S   ?= 3600
FUZZ_CFLAGS = -O1 -g -std=gnu11 -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all -DSPARE_LOGINS_MOST=0

.PHONY: all run demo arm64 check check-build coverage test test-build peers bpf-build check-layers docs install uninstall deb tarball rpm bench soak fleet fuzz fuzz-build vmlinux deps deps-test clean help
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

# Suites that need no root and no network.
CHECKS := $(addprefix tests/static/,layers names format cppcheck) tests/unit/ $(addprefix tests/replay/,golden \
	verdicts facts sqlna ids identities joined oldtds passwords sessions commands tunnels) tests/cli/

## check: build and run the quick tests, without root or network (ONLY=SUITE or SUITE:CASE: one of them)
check:
	$(Q)sh tests/deps -n $(BUILD_DEBS) $(CHECK_DEBS)
	$(Q)$(MAKE) check-build
	$(Q)tests/run $(O) $(or $(ONLY),$(CHECKS))

check-build: all $(UNITS)

# The coverage build of tdsmon leaves out the system call filter, which would keep gcov from writing.
## coverage: run the unit and replay tests on an instrumented build, print the lines covered of each file
coverage:
	$(Q)sh tests/deps -n $(BUILD_DEBS)
	$(Q)CFLAGS="-O0 -g --coverage" $(MAKE) O=$(O)/coverage FAT= HARDEN= COVERAGE=1 check-build
	$(Q)find $(O)/coverage -name '*.gcda' -delete
	$(Q)tests/run $(O)/coverage tests/unit/ $(filter tests/replay/%,$(CHECKS))
	$(Q)tests/coverage $(O)/coverage

## test: install what is missing, build and run every test (ONLY=SUITE or SUITE:CASE: some of them)
test: deps deps-test
	$(Q)$(MAKE) test-build peers
	$(Q)tests/run $(O) $(ONLY)

test-build: all $(TESTS) $(TOOLS) $(BENCHES) $(SERVER) $(LOAD) fuzz-build check-layers
	$(Q)$(MAKE) O=$(O)/newest CLANG=$(NEWEST) bpf-build

bpf-build: all $(filter $(O)/tests/bpf/%,$(TESTS))

# Fetch and compile the real clients beforehand: most tests run in a network of their own.
peers:
	$(call say,PEERS,$(O)/peers)mkdir -p $(O)/peers && python3 tests/peers/clients.py $(O) > $(O)/peers/list

## fuzz: fuzz the parsers and the engine, each for FUZZ_S seconds (60)
fuzz: deps deps-test
	$(Q)$(MAKE) fuzz-build
	$(Q)tests/fuzz/fuzz.test $(O) $(FUZZ_S)

## bench: measure cost and speed, write $(O)/bench.txt (ONLY=PART: one part)
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

## install: install below PREFIX (/usr/local), in DESTDIR; keep an existing configuration
install: all $(DOCS)
	$(Q)install -D -m 755 $(O)/tdsmon $(DESTDIR)$(SBINDIR)/tdsmon
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.8 $(DESTDIR)$(MANDIR)/man8/tdsmon.8
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.bash $(DESTDIR)$(BASH_DIR)/tdsmon
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.zsh $(DESTDIR)$(ZSH_DIR)/_tdsmon
	$(Q)install -D -m 644 $(O)/contrib/tdsmon.fish $(DESTDIR)$(FISH_DIR)/tdsmon.fish
	$(Q)install -D -m 644 -t $(DESTDIR)$(DATADIR)/tdsmon contrib/prometheus/*.yml \
		contrib/grafana/tdsmon.json contrib/systemd/tdsmon-processes.conf \
		contrib/systemd/tdsmon-save.conf
	$(Q)install -d $(DESTDIR)$(UNITDIR)
	$(Q)sed 's#/usr/sbin/#$(SBINDIR)/#;s#/etc/#$(SYSCONFDIR)/#' contrib/systemd/tdsmon.service \
		> $(DESTDIR)$(UNITDIR)/tdsmon.service
	$(Q)chmod 644 $(DESTDIR)$(UNITDIR)/tdsmon.service
	$(Q)[ -e $(DESTDIR)$(SYSCONFDIR)/tdsmon/tdsmon.conf ] || \
		install -D -m 644 contrib/tdsmon.conf $(DESTDIR)$(SYSCONFDIR)/tdsmon/tdsmon.conf

## uninstall: remove what install installed, except the configuration
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

## tarball: build an archive that needs no installation, $(O)/tdsmon-VERSION-linux-MACHINE.tar.gz
tarball: deps
	$(Q)sh tests/deps $(DEB_DEBS)
	$(Q)$(MAKE) all $(DOCS)
	$(Q)contrib/bundle/tarball $(O) $(VERSION)

## rpm: build an RPM package with the same contents, $(O)/tdsmon-VERSION-1.MACHINE.rpm
rpm: deps
	$(Q)sh tests/deps $(DEB_DEBS) $(RPM_DEBS)
	$(Q)$(MAKE) all $(DOCS)
	$(Q)contrib/rpm/build $(O) $(VERSION)

## arm64: cross-compile everything for arm64, run unit tests and replays by qemu, boot a kernel there
arm64: deps deps-test
	$(Q)sh tests/deps $(ARM64_DEBS)
	$(Q)$(MAKE) all
	$(Q)tests/arm64/emulated $(O)

## soak: watch mixed traffic for SOAK_S seconds (3600): no growth, no loss; writes $(O)/soak.txt
soak: deps
	$(Q)sh tests/deps $(SOAK_DEBS)
	$(Q)$(MAKE) all $(SERVER) $(LOAD)
	$(Q)tests/soak/soak $(O) $(SOAK_S)

fuzz-build: $(FUZZERS) $(O)/fuzz/corpus.stamp

FLEET_HOSTS ?= 1000
## fleet: play FLEET_HOSTS (1000) hosts to Prometheus, print what they cost there; writes $(O)/fleet.txt
fleet: deps deps-test
	$(Q)$(MAKE) all $(SERVER) $(LOAD)
	$(Q)tests/export/fleet.test $(O) $(FLEET_HOSTS)

## check-layers: check the include rules of the rooms
check-layers:
	$(Q)tests/check-layers

## deps: install the Debian packages that the build needs
deps:
	$(Q)sh tests/deps $(BUILD_DEBS)
deps-test:
	$(Q)sh tests/deps $(TEST_DEBS)

## vmlinux: regenerate vmlinux/vmlinux.h from the running kernel's BTF
vmlinux:
	$(call say,BTF,vmlinux/vmlinux.h)$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c > vmlinux/vmlinux.h

## clean: remove everything that was built
clean:
	$(Q)rm -rf $(O)

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' Makefile | awk -F'\t' '{ printf "  make %-13s %s\n", $$1, $$2 }'

$(O)/tdsmon: $(O)/user/main.o $(O)/libtdsmon.a
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(LDLIBS)

ifdef COVERAGE
$(O)/tdsmon: override LDFLAGS += -Wl,--wrap=sandbox_syscalls
$(O)/tdsmon: $(O)/tests/lib/unconfined.o
$(O)/tests/lib/unconfined.o: tests/lib/unconfined.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
endif

$(O)/libtdsmon.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# The engine processes every packet. tdsmon and the benchmarks link it with LTO, which takes a sixth off
# its instructions compared with -O2 file by file. Tests link without LTO, because that is quicker.
$(O)/user/lib/siphash.o $(O)/user/lib/utf8.o: CFLAGS := $(CFLAGS) $(FAT)
$(O)/user/engine/%.o: CFLAGS := $(patsubst -O2,-O3,$(CFLAGS)) $(FAT)

$(O)/user/%.o: user/%.c | $(SKEL)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDEN) -MMD -MP -c -o $@ $<

# The compiler does not list files that are included by .incbin.
$(O)/user/sink/page/page.o: $(wildcard user/sink/page/*.html user/sink/page/*.css user/sink/page/*.js)
$(O)/user/report/html.o: user/report/report.css

$(O)/skel/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

# Linux 5.10 refuses the subtractions of pointers that clang makes of the tunnels' parser with v3.
$(O)/skel/decap.bpf.o: BPF_CPU := v2

# The benchmarks measure the tap against this program.
$(O)/skel/floor.bpf.o: tests/bench/floor.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<
$(O)/tests/bench/kernel $(O)/tests/bench/scale $(O)/tests/bench/slices: $(O)/skel/floor.skel.h

$(O)/skel/%.skel.h: $(O)/skel/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $(*)_bpf > $@

$(TESTS) $(TOOLS): override LDFLAGS += -fno-lto
$(addprefix $(O)/tests/unit/,decrypt inside inside_wipe): LDLIBS += -lssl
$(O)/tdsmon $(BENCHES): override LDFLAGS += $(FAT)
# A test of one room of the engine: it is linked with ROOMS, that room and those below it, and with lib/.
PARSER_TESTS := $(addprefix $(O)/tests/unit/,buf cert frame proxy redact sql_mask sspi ssrp tds tds_old tls)
ROOM_TESTS := $(filter $(O)/tests/unit/room_%,$(TESTS)) $(PARSER_TESTS) $(addprefix $(O)/tests/unit/,answers infer)
in_rooms = $(filter $(O)/user/lib/%.o $(O)/user/engine/record.o \
	$(addprefix $(O)/user/engine/,$(addsuffix /%.o,$(ROOMS))),$(LIB_OBJ))
$(PARSER_TESTS): ROOMS := protocol
$(addprefix $(O)/tests/unit/,answers infer): ROOMS := protocol stream decrypt login
$(O)/tests/unit/room_browser: ROOMS := protocol browser
$(O)/tests/unit/room_stream: ROOMS := protocol stream
$(O)/tests/unit/room_session: ROOMS := protocol stream session
$(ROOM_TESTS): $(O)/tests/%: tests/%.c $(O)/libtdsmon.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(in_rooms) $(LDLIBS)

$(filter-out $(ROOM_TESTS),$(TESTS)) $(TOOLS) $(BENCHES): $(O)/tests/%: tests/%.c $(O)/libtdsmon.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(HARDEN) $(HARDEN_LD) $(LDFLAGS) -MMD -MP -o $@ $< $(O)/libtdsmon.a $(LDLIBS)

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

# The test server and the load generator share no code with tdsmon, so that they share no bug.
$(SERVER) $(LOAD): $(O)/tests/tds-%: $(wildcard tests/server/*.c tests/server/*.h)
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(CC) -D_GNU_SOURCE $(CFLAGS) -o $@ tests/server/$*.c \
		$(filter-out tests/server/server.c tests/server/load.c,$(filter %.c,$^)) -lssl -lcrypto -lpthread

-include $(shell find $(O) -path $(O)/container -prune -o -path $(O)/arm64 -prune -o -name '*.d' -type f -print 2>/dev/null)
