/* A caller of HTTP/1.1 and a service behind proxies, for benchmarks/bench_proxy.py: their CPU does not count, so they are
 * fast and do little else. One thread, epoll, a connection has one request at a time.
 *
 *   load serve PORT                        answers each request with 200 and 20 bytes; GET /bytes/N with N bytes
 *   load call PORT CONNECTIONS REQUESTS TARGET [CERTIFICATE KEY AUTHORITIES]
 *                                          prints: answers with 200, other answers, seconds
 * TARGET may hold one %d, which is the number of the request.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, EVENTS = 256 };

struct connection {
    int fd, filled, is_shaken;
    long left; /* bytes that are still to come of a body, or to be sent; -1: in a head */
    int status;
    SSL *tls;
    char data[ROOM + 1];
};

static char zeros[ROOM];
static struct sockaddr_in address = {.sin_family = AF_INET};

static void fail(const char *what) { perror(what); exit(1); }

static int watched(int epoll, int fd, void *who, int events) {
    struct epoll_event event = {.events = events, .data.ptr = who};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int without_delay(int fd) {
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* The service. */

static int answered(struct connection *one) {
    char *end;
    int size;
    while (one->left <= 0 && (end = memmem(one->data, one->filled, "\r\n\r\n", 4))) {
        char head[128];
        long bytes = 20;
        int used = (int)(end + 4 - one->data);
        if (!memcmp(one->data, "GET /bytes/", 11)) bytes = atol(one->data + 11);
        size = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %ld\r\n\r\n", bytes);
        if (bytes <= 20) {
            memset(head + size, 'x', bytes);
            if (write(one->fd, head, size + bytes) != size + bytes) return -1;
        } else {
            if (write(one->fd, head, size) != size) return -1;
            one->left = bytes;
        }
        memmove(one->data, one->data + used, one->filled -= used);
    }
    while (one->left > 0) {
        long most = one->left < ROOM ? one->left : ROOM;
        ssize_t sent = write(one->fd, zeros, most);
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        one->left -= sent;
    }
    return 0;
}

static void serve(void) {
    int listening = socket(AF_INET, SOCK_STREAM, 0), yes = 1, epoll = epoll_create1(0);
    struct epoll_event events[EVENTS];
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (void *)&address, sizeof address) || listen(listening, 1024)) fail("bind");
    watched(epoll, listening, NULL, EPOLLIN);
    fprintf(stderr, "serving\n");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *one = events[i].data.ptr;
            if (!one) {
                int fd = accept(listening, NULL, NULL);
                if (fd < 0) continue;
                without_delay(fd);
                one = calloc(1, sizeof *one);
                one->fd = fd;
                watched(epoll, fd, one, EPOLLIN | EPOLLOUT | EPOLLET);
                continue;
            }
            ssize_t got = 1;
            while (one->filled < ROOM && (got = read(one->fd, one->data + one->filled, ROOM - one->filled)) > 0)
                one->filled += got;
            if ((got < 0 && errno != EAGAIN) || got == 0 || answered(one)) {
                close(one->fd);
                free(one);
            }
        }
    }
}

/* The caller. */

static int epoll, to_begin, begun, connections;
static long good, bad, lost;
static const char *target;
static SSL_CTX *context;

static void ask(struct connection *one) {
    char path[512], request[1024];
    int size;
    snprintf(path, sizeof path, target, begun);
    size = snprintf(request, sizeof request,
                    "GET %s HTTP/1.1\r\nhost: catalog\r\nuser-agent: load/1\r\naccept: */*\r\n"
                    "accept-encoding: gzip\r\nx-request-id: 7d2c1e6a-2b0f-4c58-9f0e-%012d\r\n"
                    "traceparent: 00-0af7651916cd43dd8448eb21%08x-b7ad6b7169203331-00\r\n\r\n", path, begun, begun);
    begun++;
    one->left = -1;
    one->filled = 0;
    if ((one->tls ? SSL_write(one->tls, request, size) : write(one->fd, request, size)) != size) fail("write");
}

static void taken(struct connection *one, int size) {
    if (one->left < 0) {
        char *end, *length;
        one->filled += size;
        one->data[one->filled] = 0;
        if (!(end = strstr(one->data, "\r\n\r\n"))) return;
        length = strcasestr(one->data, "\r\ncontent-length:");
        one->status = atoi(one->data + 9);
        one->left = (length && length < end ? atol(length + 17) : 0) - (one->filled - (end + 4 - one->data));
        one->filled = 0;
    } else {
        one->left -= size;
    }
    if (one->left == 0) {
        *(one->status == 200 ? &good : &bad) += 1;
        if (begun < to_begin) ask(one);
    }
}

static void connected(struct connection *one) {
    one->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(one->fd, (void *)&address, sizeof address)) fail("connect");
    without_delay(one->fd);
    watched(epoll, one->fd, one, EPOLLIN);
}

static void heard(struct connection *one) {
    if (one->tls && !one->is_shaken) {
        int done = SSL_do_handshake(one->tls);
        if (done == 1) {
            one->is_shaken = 1;
            ask(one);
        } else if (SSL_get_error(one->tls, done) != SSL_ERROR_WANT_READ) {
            fail("handshake");
        }
        return;
    }
    for (;;) {
        char *where = one->data + one->filled;
        int size = ROOM - one->filled;
        size = one->tls ? SSL_read(one->tls, where, size) : (int)read(one->fd, where, size);
        if (size > 0) {
            taken(one, size);
            continue;
        }
        if (one->tls ? SSL_get_error(one->tls, size) == SSL_ERROR_WANT_READ : size < 0 && errno == EAGAIN) return;
        if (one->tls || ++lost > to_begin) {
            fprintf(stderr, "a connection ended after %ld answers\n", good + bad);
            exit(1);
        }
        close(one->fd); /* there are proxies that keep no connection */
        connected(one);
        if (one->left) begun--; /* the request that was not answered */
        if (begun < to_begin) ask(one);
        return;
    }
}

static void call(void) {
    struct timespec from, to;
    struct epoll_event events[EVENTS];
    epoll = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        struct connection *one = calloc(1, sizeof *one);
        connected(one);
        if (context) {
            one->tls = SSL_new(context);
            SSL_set_fd(one->tls, one->fd);
            SSL_set_connect_state(one->tls);
            heard(one);
        } else {
            ask(one);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (good + bad < to_begin) {
        int count = epoll_wait(epoll, events, EVENTS, 60000);
        if (count == 0) fail("nothing comes");
        for (int i = 0; i < count; i++) heard(events[i].data.ptr);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%ld %ld %.6f\n", good, bad, (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) * 1e-9);
}

int main(int count, char **given) {
    signal(SIGPIPE, SIG_IGN);
    if (count < 3) return 2;
    address.sin_port = htons(atoi(given[2]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!strcmp(given[1], "serve")) serve();
    if (count < 6) return 2;
    connections = atoi(given[3]);
    to_begin = atoi(given[4]);
    target = given[5];
    if (count == 9) {
        context = SSL_CTX_new(TLS_client_method());
        if (SSL_CTX_use_certificate_chain_file(context, given[6]) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, given[7], SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_load_verify_locations(context, given[8], NULL) != 1) fail("identity");
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    call();
    return 0;
}
