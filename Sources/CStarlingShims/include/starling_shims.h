// What Swift cannot import from C: variadic functions, a few macros, and GNU extensions behind unions and
// flags. Nothing else belongs here. Every function answers with a count or descriptor, or with -errno.
#ifndef STARLING_SHIMS_H
#define STARLING_SHIMS_H

#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>

/// Where a datagram comes from or goes to, and how long it is.
struct starling_datagram {
  /// The address in network order; the first `host_count` bytes count.
  uint8_t host[16];
  /// 4 or 16; 0 if the datagram is to be skipped, because it was cut short.
  uint8_t host_count;
  /// In host order.
  uint16_t port;
  uint32_t byte_count;
};

/// The most datagrams that one call receives or sends.
enum { STARLING_BATCH = 64 };

/// Opens a non-blocking UDP socket bound to an address. An IPv6 socket takes IPv4 too where it can.
int starling_udp_open(const uint8_t *host, uint8_t host_count, uint16_t port, int buffer_bytes);

/// Tells the address that a socket is bound to.
int starling_udp_local(int fd, struct starling_datagram *local);

/// Receives up to `count` datagrams, the i-th at `buffer + i * stride`.
int starling_udp_receive(int fd, uint8_t *buffer, size_t stride, struct starling_datagram *datagrams, int count);

/// Sends up to `count` datagrams that lie one behind the other in `bytes`; answers how many left.
int starling_udp_send(int fd, const uint8_t *bytes, const struct starling_datagram *datagrams, int count);

/// Connects a non-blocking TCP socket within that many milliseconds; -1 waits for ever.
int starling_tcp_connect(const uint8_t *host, uint8_t host_count, uint16_t port, int timeout_ms);

/// From now on SIGINT and SIGTERM add 1 to the eventfd `stop`, once each: a second one ends the process. SIGHUP adds 1
/// to the eventfd `hangup` every time.
int starling_watch_signals(int stop, int hangup);

/// The signals do again what they did before starling_watch_signals(stop, ...), unless another call followed it.
void starling_default_signals(int stop);

/// Starts an HTTP server with a thread of its own whose connections can be suspended. NULL on failure, with
/// the reason, an errno, in `error`.
struct MHD_Daemon *starling_http_start(const uint8_t *host, uint8_t host_count, uint16_t port,
                                       unsigned connection_limit, unsigned timeout_seconds,
                                       MHD_AccessHandlerCallback handler,
                                       MHD_RequestCompletedCallback completed,
                                       MHD_NotifyConnectionCallback noticed, void *context, int *error);

/// The socket of a connection; -1 if it cannot be told.
int starling_http_socket(struct MHD_Connection *connection);

/// Sets after how many seconds of silence a connection is closed.
void starling_http_patience(struct MHD_Connection *connection, unsigned seconds);

/// The port that an HTTP server listens on; 0 if it cannot be told.
uint16_t starling_http_port(struct MHD_Daemon *daemon);

/// fcntl(2) with an integer.
int starling_fcntl(int fd, int command, int argument);

/// rename(2) that replaces nothing: -EEXIST if there is anything, even a link that leads nowhere.
int starling_rename_new(const char *from, const char *to);

/// open(2) with a mode.
int starling_open(const char *path, int flags, unsigned mode);

#endif
