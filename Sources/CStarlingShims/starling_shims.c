#define _GNU_SOURCE
#include "starling_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t to_sockaddr(const uint8_t *host, uint8_t host_count, uint16_t port, int family,
                             struct sockaddr_storage *address) {
  memset(address, 0, sizeof *address);
  if (family == AF_INET) {
    if (host_count != 4) return 0;
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    memcpy(&v4->sin_addr, host, 4);
    return sizeof *v4;
  }
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  if (host_count == 16) {
    memcpy(&v6->sin6_addr, host, 16);
  } else if (host_count == 4) {
    v6->sin6_addr.s6_addr[10] = v6->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&v6->sin6_addr.s6_addr[12], host, 4);
  } else {
    return 0;
  }
  return sizeof *v6;
}

static void from_sockaddr(const struct sockaddr_storage *address, struct starling_datagram *out) {
  out->host_count = 0;
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    memcpy(out->host, &v4->sin_addr, 4);
    out->host_count = 4;
    out->port = ntohs(v4->sin_port);
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    out->port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      memcpy(out->host, &v6->sin6_addr.s6_addr[12], 4);
      out->host_count = 4;
    } else {
      memcpy(out->host, &v6->sin6_addr, 16);
      out->host_count = 16;
    }
  }
}

static int family_of(int fd) {
  int family = 0;
  socklen_t length = sizeof family;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0) return -errno;
  return family;
}

int starling_udp_open(const uint8_t *host, uint8_t host_count, uint16_t port, int buffer_bytes) {
  int family = host_count == 4 ? AF_INET : AF_INET6;
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (family == AF_INET6) {
    int off = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  // The kernel grants what its limits allow; the rest is not an error.
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  struct sockaddr_storage address;
  socklen_t length = to_sockaddr(host, host_count, port, family, &address);
  if (bind(fd, (struct sockaddr *)&address, length) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}

int starling_udp_local(int fd, struct starling_datagram *local) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
  from_sockaddr(&address, local);
  local->byte_count = 0;
  return 0;
}

int starling_udp_receive(int fd, uint8_t *buffer, size_t stride, struct starling_datagram *datagrams, int count) {
  struct mmsghdr headers[STARLING_BATCH];
  struct iovec pieces[STARLING_BATCH];
  struct sockaddr_storage addresses[STARLING_BATCH];
  if (count > STARLING_BATCH) count = STARLING_BATCH;
  memset(headers, 0, sizeof headers);
  for (int i = 0; i < count; i++) {
    pieces[i].iov_base = buffer + (size_t)i * stride;
    pieces[i].iov_len = stride;
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_name = &addresses[i];
    headers[i].msg_hdr.msg_namelen = sizeof addresses[i];
  }
  int received = recvmmsg(fd, headers, (unsigned)count, MSG_DONTWAIT, NULL);
  if (received < 0) return -errno;
  for (int i = 0; i < received; i++) {
    from_sockaddr(&addresses[i], &datagrams[i]);
    datagrams[i].byte_count = headers[i].msg_len;
    if (headers[i].msg_hdr.msg_flags & MSG_TRUNC) datagrams[i].host_count = 0;
  }
  return received;
}

int starling_udp_send(int fd, const uint8_t *bytes, const struct starling_datagram *datagrams, int count) {
  struct mmsghdr headers[STARLING_BATCH];
  struct iovec pieces[STARLING_BATCH];
  struct sockaddr_storage addresses[STARLING_BATCH];
  if (count > STARLING_BATCH) count = STARLING_BATCH;
  int family = family_of(fd);
  if (family < 0) return family;
  memset(headers, 0, sizeof headers);
  for (int i = 0; i < count; i++) {
    socklen_t length =
        to_sockaddr(datagrams[i].host, datagrams[i].host_count, datagrams[i].port, family, &addresses[i]);
    if (length == 0) {
      // The first that cannot be expressed ends the batch, so that the caller learns which one it is.
      if (i == 0) return -EAFNOSUPPORT;
      count = i;
      break;
    }
    pieces[i].iov_base = (void *)bytes;
    pieces[i].iov_len = datagrams[i].byte_count;
    bytes += datagrams[i].byte_count;
    headers[i].msg_hdr.msg_iov = &pieces[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_name = &addresses[i];
    headers[i].msg_hdr.msg_namelen = length;
  }
  int sent = sendmmsg(fd, headers, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

int starling_tcp_connect(const uint8_t *host, uint8_t host_count, uint16_t port, int timeout_ms) {
  int family = host_count == 4 ? AF_INET : AF_INET6;
  struct sockaddr_storage address;
  socklen_t length = to_sockaddr(host, host_count, port, family, &address);
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int error = 0;
  if (connect(fd, (struct sockaddr *)&address, length) < 0) error = errno;
  if (error == EINPROGRESS || error == EINTR) {
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    int ready;
    do ready = poll(&entry, 1, timeout_ms); while (ready < 0 && errno == EINTR);
    socklen_t size = sizeof error;
    if (ready == 0) error = ETIMEDOUT;
    else if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  }
  if (error == 0) return fd;
  close(fd);
  return -error;
}

static volatile sig_atomic_t stop_fd = -1, hangup_fd = -1;

static void signal_handler(int signal) {
  int fd = (int)(signal == SIGHUP ? hangup_fd : stop_fd);
  int saved = errno;
  uint64_t one = 1;
  if (fd >= 0 && write(fd, &one, sizeof one) < 0) { /* the counter is full: it is seen */ }
  errno = saved;
}

static struct sigaction earlier_int, earlier_term, earlier_hup;

int starling_watch_signals(int stop, int hangup) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = signal_handler;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  int is_first = stop_fd < 0;
  stop_fd = stop;
  hangup_fd = hangup;
  if (sigaction(SIGINT, &action, is_first ? &earlier_int : NULL) < 0) return -errno;
  if (sigaction(SIGTERM, &action, is_first ? &earlier_term : NULL) < 0) return -errno;
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGHUP, &action, is_first ? &earlier_hup : NULL) < 0) return -errno;
  // Whoever started this process may have had them blocked, and a mask is inherited.
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGINT);
  sigaddset(&watched, SIGTERM);
  sigaddset(&watched, SIGHUP);
  return -pthread_sigmask(SIG_UNBLOCK, &watched, NULL);
}

void starling_default_signals(int stop) {
  if (stop_fd != stop) return;
  sigaction(SIGINT, &earlier_int, NULL);
  sigaction(SIGTERM, &earlier_term, NULL);
  sigaction(SIGHUP, &earlier_hup, NULL);
  stop_fd = hangup_fd = -1;
}

struct MHD_Daemon *starling_http_start(const uint8_t *host, uint8_t host_count, uint16_t port,
                                       unsigned connection_limit, unsigned timeout_seconds,
                                       MHD_AccessHandlerCallback handler,
                                       MHD_RequestCompletedCallback completed,
                                       MHD_NotifyConnectionCallback noticed, void *context, int *error) {
  struct sockaddr_storage address;
  int family = host_count == 4 ? AF_INET : AF_INET6;
  to_sockaddr(host, host_count, port, family, &address);
  // poll, not epoll: its edge-triggered loop misses the end of a connection that comes with the last bytes,
  // and would notice a broken upload only by its timeout. With a hundred connections they cost the same.
  unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
  if (family == AF_INET6) flags |= MHD_USE_IPv6;
  errno = 0;
  struct MHD_Daemon *daemon = MHD_start_daemon(
      flags, port, NULL, NULL, handler, context, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
      MHD_OPTION_CONNECTION_LIMIT, connection_limit, MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
      MHD_OPTION_NOTIFY_COMPLETED, completed, context, MHD_OPTION_NOTIFY_CONNECTION, noticed, context,
      MHD_OPTION_END);
  *error = daemon == NULL ? (errno == 0 ? EIO : errno) : 0;
  return daemon;
}

uint16_t starling_http_port(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info == NULL ? 0 : info->port;
}

int starling_http_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

void starling_http_patience(struct MHD_Connection *connection, unsigned seconds) {
  MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

int starling_fcntl(int fd, int command, int argument) {
  int result = fcntl(fd, command, argument);
  return result < 0 ? -errno : result;
}

int starling_rename_new(const char *from, const char *to) {
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -errno;
  // A file system that cannot: a second name for the file is as exclusive.
  if (link(from, to) < 0) return -errno;
  unlink(from);
  return 0;
}

int starling_open(const char *path, int flags, unsigned mode) {
  int fd = open(path, flags | O_CLOEXEC, (mode_t)mode);
  return fd < 0 ? -errno : fd;
}
