/* LD_PRELOAD: counts what processes write, create, sync, rename and remove below a folder, and lets the N-th go wrong.
 *
 * The plan lies in a file that all processes of a trial map: the one that calls fault_arm(FILE), and those that it
 * starts, by FAULT_PLAN in their environment. `count` goes up with each operation; the one whose number is `target`
 * is treated by `mode`. HOLD says in `held` that a moment has come, before, in the middle of and after every operation,
 * and waits until somebody has stopped the process group, looked at the folder and set `held` to 0.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LOG, BEFORE, AFTER, TORN, SHORT, FAIL_ONCE, FAIL_ON, SIGNAL, HOLD };   /* modes, as in trials.py */
enum { GO, FAILED, HALF_THEN_DIE, DIE_AFTER, HALF, HELD };                    /* what an operation is to do */

struct plan { long count, target, held; int mode, error, signal, log; char prefix[4096]; };
static struct plan *plan;
static int log_fd = -1;

void fault_arm(const char *file) {
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (at == MAP_FAILED) return;
  plan = at;
  if (plan->log) {
    char name[4200]; snprintf(name, sizeof name, "%s.log", file);
    log_fd = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
}
__attribute__((constructor)) static void from_environment(void) {
  const char *file = getenv("FAULT_PLAN");
  if (file && *file) fault_arm(file);
}

static void die(void) { kill(-getpgrp(), SIGKILL); for (;;) pause(); }

static void hold(long now, int mode) {
  int error = errno;
  long mine = 8 * now + mode, none = 0;
  while (!__atomic_compare_exchange_n(&plan->held, &none, mine, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    none = 0; usleep(500);   /* two processes at work: one after the other */
  }
  while (__atomic_load_n(&plan->held, __ATOMIC_SEQ_CST) == mine) usleep(500);   /* who looks stops the group: a stop
     from here could come after the look, and nobody would end it */
  errno = error;
}

static int below(const char *path, char *full) {
  if (!plan || !path) return 0;
  if (path[0] == '/') snprintf(full, 4096, "%s", path);
  else { char here[2048]; if (!getcwd(here, sizeof here)) return 0; snprintf(full, 4096, "%s/%s", here, path); }
  return strncmp(full, plan->prefix, strlen(plan->prefix)) == 0;
}
static int fd_below(int fd, char *full) {
  if (!plan || fd < 0 || fd == log_fd) return 0;
  char link[64]; snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, full, 4095);
  if (n < 0) return 0;
  full[n] = 0;
  return strncmp(full, plan->prefix, strlen(plan->prefix)) == 0;
}
static __thread long held_now;
static int event(const char *op, const char *path, long size, int takes_room) {
  long now = __atomic_add_fetch(&plan->count, 1, __ATOMIC_SEQ_CST);
  if (log_fd >= 0) {
    char line[4300]; int n = snprintf(line, sizeof line, "%ld\t%s\t%ld\t%s\n", now, op, size, path);
    syscall(SYS_write, log_fd, line, n);
  }
  if (plan->mode == FAIL_ON && now >= plan->target && plan->target > 0 && takes_room) { errno = plan->error; return FAILED; }
  if (plan->mode == HOLD) { hold(held_now = now, BEFORE); return HELD; }
  if (now != plan->target) return GO;
  switch (plan->mode) {
    case BEFORE: die();
    case AFTER: return DIE_AFTER;
    case TORN: return HALF_THEN_DIE;
    case SHORT: return HALF;
    case FAIL_ONCE: errno = plan->error; return FAILED;
    case SIGNAL: kill(getpid(), plan->signal); return GO;
  }
  return GO;
}
#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define SIMPLE(inside, op, size, room, call) \
  if (inside) { int e = event(op, full, size, room); if (e == FAILED) return -1; if (e == HALF_THEN_DIE) die(); \
    int r = call; if (e == DIE_AFTER) { die(); } if (e == HELD) hold(held_now, AFTER); return r; } return call

#define WRITES(inside, size, part, whole, rest) \
  if (inside) { int e = event("write", full, size, 1); if (e == FAILED) return -1; \
    if (e == HALF_THEN_DIE) { ssize_t r = part; (void)r; die(); } \
    if (e == HALF && (size) > 1) return part; \
    if (e == HELD) { ssize_t r = part; hold(held_now, TORN); r += rest; hold(held_now, AFTER); return r; } \
    ssize_t r = whole; if (e == DIE_AFTER) { die(); } return r; } return whole

ssize_t write(int fd, const void *b, size_t n) { REAL(write); char full[4096];
  WRITES(fd > 2 && fd_below(fd, full), n, real(fd, b, n / 2), real(fd, b, n), real(fd, b + n / 2, n - n / 2)); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { REAL(pwrite); char full[4096];
  WRITES(fd_below(fd, full), n, real(fd, b, n / 2, o), real(fd, b, n, o), real(fd, b + n / 2, n - n / 2, o + n / 2)); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(pwrite64); char full[4096];
  WRITES(fd_below(fd, full), n, real(fd, b, n / 2, o), real(fd, b, n, o), real(fd, b + n / 2, n - n / 2, o + n / 2)); }
ssize_t writev(int fd, const struct iovec *v, int k) { REAL(writev); char full[4096];
  WRITES(fd > 2 && fd_below(fd, full), k, real(fd, v, k / 2), real(fd, v, k), real(fd, v + k / 2, k - k / 2)); }
int fsync(int fd) { REAL(fsync); char full[4096]; SIMPLE(fd_below(fd, full), "fsync", 0, 0, real(fd)); }
int fdatasync(int fd) { REAL(fdatasync); char full[4096]; SIMPLE(fd_below(fd, full), "fsync", 0, 0, real(fd)); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); char full[4096]; SIMPLE(fd_below(fd, full), "truncate", n, 1, real(fd, n)); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); char full[4096]; SIMPLE(fd_below(fd, full), "truncate", n, 1, real(fd, n)); }
int posix_fallocate(int fd, off_t o, off_t n) { REAL(posix_fallocate); char full[4096];
  SIMPLE(fd_below(fd, full), "allocate", n, 1, real(fd, o, n)); }
int unlink(const char *p) { REAL(unlink); char full[4096]; SIMPLE(below(p, full), "unlink", 0, 0, real(p)); }
int rmdir(const char *p) { REAL(rmdir); char full[4096]; SIMPLE(below(p, full), "rmdir", 0, 0, real(p)); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); char full[4096]; SIMPLE(below(p, full), "mkdir", 0, 1, real(p, m)); }
int unlinkat(int d, const char *p, int f) { REAL(unlinkat); char full[4096];
  SIMPLE(d == AT_FDCWD ? below(p, full) : fd_below(d, full), "unlink", 0, 0, real(d, p, f)); }
int rename(const char *a, const char *b) { REAL(rename); char full[4096]; SIMPLE(below(b, full), "rename", 0, 0, real(a, b)); }
int renameat(int x, const char *a, int y, const char *b) { REAL(renameat); char full[4096];
  SIMPLE(y == AT_FDCWD && below(b, full), "rename", 0, 0, real(x, a, y, b)); }

#define MAKES(flags) ((flags) & (O_CREAT | O_TRUNC))
#define MODE_OF(flags, last) mode_t m = 0; if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list a; va_start(a, last); m = va_arg(a, mode_t); va_end(a); }
int open(const char *p, int f, ...) { REAL(open); char full[4096]; MODE_OF(f, f)
  SIMPLE(MAKES(f) && below(p, full), "open", f, 1, real(p, f, m)); }
int open64(const char *p, int f, ...) { REAL(open64); char full[4096]; MODE_OF(f, f)
  SIMPLE(MAKES(f) && below(p, full), "open", f, 1, real(p, f, m)); }
int openat(int d, const char *p, int f, ...) { REAL(openat); char full[4096]; MODE_OF(f, f)
  SIMPLE(MAKES(f) && d == AT_FDCWD && below(p, full), "open", f, 1, real(d, p, f, m)); }
int openat64(int d, const char *p, int f, ...) { REAL(openat64); char full[4096]; MODE_OF(f, f)
  SIMPLE(MAKES(f) && d == AT_FDCWD && below(p, full), "open", f, 1, real(d, p, f, m)); }
