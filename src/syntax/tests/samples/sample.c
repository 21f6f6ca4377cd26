/* Lists, singly linked. */
#include <stdio.h>
#include "list.h"

#define LIMIT 100
#define MAX(a, b) \
    ((a) > (b) ? (a) : (b))

#ifdef DEBUG
static int n_calls;
#endif

struct node {
    int value; /* what it holds */
    struct node *next;
};

typedef struct {
    struct node *head;
    union { int a; float b; } mixed;
} list_t;

typedef int (*compare)(const void *, const void *);

enum order { UP, DOWN };

extern int list_length(const list_t *list);
char *list_text(const list_t *list);

static const char *const names[] = {
    "one",
    "two",
    "three",
    "four",
    "five",
};

/**
 * Adds a value at the front.
 * Returns the new node.
 */
static struct node *list_push(list_t *list,
                              int value)
{
    struct node *node = malloc(sizeof(*node));
    node->value = value;
    node->next = list->head;
    return list->head = node;
}

int main(void) { return 0; }
