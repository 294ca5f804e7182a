/* Stands in for `python -m MODULE ...` where the fork server is to run it: hands it the streams, the words, the folder
 * and the environment, and ends as the fork ends. DOOR, given to the compiler, names the socket of the server.
 *
 * The fork belongs to the process group of this process, where that is of its session, and gets the signals that are
 * sent to the group; those that are sent to this process alone it is given from here.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static pid_t job, server;

static void hand_on(int number, siginfo_t *from, void *context) {
  (void)context;
  if (from->si_pid != server) kill(job, number);   /* the server signals the whole group */
}

static char *add(char *at, const char *word) { return stpcpy(at, word) + 1; }

static char *request(int words, char **argv, long *size) {
  long room = 4096 + 32;
  for (int i = 1; i < words; i++) room += strlen(argv[i]) + 1;
  for (char **each = environ; *each; each++) room += strlen(*each) + 1;
  char *begin = malloc(room), here[4096], count[16];
  snprintf(count, sizeof count, "%d", words);   /* with the folder in the place of the program's name */
  char *at = add(add(begin, count), getcwd(here, sizeof here) ? here : "/");
  for (int i = 1; i < words; i++) at = add(at, argv[i]);
  for (char **each = environ; *each; each++) at = add(at, *each);
  *size = at - begin;
  return begin;
}

static int send_all(int channel, char *from, long size) {
  struct iovec length = {&size, sizeof size};
  union { struct cmsghdr head; char room[CMSG_SPACE(3 * sizeof(int))]; } extra = {0};
  struct msghdr message = {.msg_iov = &length, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof extra};
  extra.head.cmsg_level = SOL_SOCKET; extra.head.cmsg_type = SCM_RIGHTS; extra.head.cmsg_len = CMSG_LEN(3 * sizeof(int));
  memcpy(CMSG_DATA(&extra.head), (int[]){0, 1, 2}, 3 * sizeof(int));
  if (sendmsg(channel, &message, 0) != sizeof size) return 0;
  while (size > 0) {
    ssize_t sent = send(channel, from, size, 0);
    if (sent < 0) return 0;
    from += sent; size -= sent;
  }
  return 1;
}

int main(int words, char **argv) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  long size;
  char *asked = request(words, argv, &size);
  snprintf(name.sun_path, sizeof name.sun_path, "%s", DOOR);
  int channel = socket(AF_UNIX, SOCK_STREAM, 0), status = 0, numbers[] = {SIGTERM, SIGINT, SIGHUP};
  if (connect(channel, (void *)&name, sizeof name)) { perror("the fork server"); return 70; }
  sigset_t late;
  sigemptyset(&late);
  for (int i = 0; i < 3; i++) sigaddset(&late, numbers[i]);
  sigprocmask(SIG_BLOCK, &late, NULL);
  int told[2];
  if (!send_all(channel, asked, size) || recv(channel, told, sizeof told, MSG_WAITALL) != sizeof told) return 70;
  job = told[0]; server = told[1];
  struct sigaction act = {.sa_sigaction = hand_on, .sa_flags = SA_SIGINFO | SA_RESTART};
  for (int i = 0; i < 3; i++) sigaction(numbers[i], &act, NULL);
  sigprocmask(SIG_UNBLOCK, &late, NULL);
  if (recv(channel, &status, sizeof status, MSG_WAITALL) != sizeof status) return 70;
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  signal(WTERMSIG(status), SIG_DFL);
  kill(getpid(), WTERMSIG(status));
  return 128 + WTERMSIG(status);
}
