#!/usr/bin/env bash
# Who may read and write which topic: run it once, as an administrator of Kafka; run it again after an upgrade.
#
#   BOOTSTRAP=kafka-1:9093 ADMIN=admin.properties deploy/access.sh
#
# Each principal is the KAFKA_USERNAME of one service. On the brokers: an authorizer (StandardAuthorizer),
# allow.everyone.if.no.acl.found=false, auto.create.topics.enable=false. Reading and writing imply describing.
set -euo pipefail
KAFKA_ACLS=${KAFKA_ACLS:-kafka-acls.sh}

allow() { # allow PRINCIPAL WHAT…
    "$KAFKA_ACLS" --bootstrap-server "${BOOTSTRAP:?}" --command-config "${ADMIN:?}" --add --allow-principal "User:$1" "${@:2}"
}
reads() { # reads PRINCIPAL TOPIC…: in consumer groups that begin with its name
    allow "$1" --operation Read $(printf -- '--topic %s ' "${@:2}")
    allow "$1" --operation Read --group "$1." --resource-pattern-type prefixed
}
writes() { # writes PRINCIPAL TOPIC…
    allow "$1" --operation Write $(printf -- '--topic %s ' "${@:2}")
}

# catalog: says which providers exist, hears suggestions. The transactional id fences a relay that was frozen.
reads catalog catalog.requests catalog.events
writes catalog catalog.events catalog.requests.dead
allow catalog --operation Write --transactional-id relay-relay.catalog- --resource-pattern-type prefixed

# connections: the only one who reads connections.answers.
reads connections connections.requests connections.answers connections.events syncs.events catalog.events
writes connections connections.events \
    connections.requests.dead connections.answers.dead connections.events.dead syncs.events.dead catalog.events.dead

# sync-runner: says what was moved, and, as our scheduler, what is due.
reads sync-runner syncs.requests documents.events connections.events catalog.events
writes sync-runner syncs.events syncs.requests \
    syncs.requests.dead documents.events.dead connections.events.dead catalog.events.dead

# console: asks for its customers, as any platform service does. It answers no challenge: the window does.
reads console connections.events syncs.events catalog.events
writes console connections.requests syncs.requests catalog.requests

# Your platform. Whoever writes here speaks for every account: give each of its services only what it needs.
reads platform connections.events syncs.events catalog.events
writes platform connections.requests connections.answers documents.events catalog.requests syncs.requests

# A scheduled producer of ExportDue and ImportDue, and nothing else.
writes scheduler syncs.requests

# Whoever runs `paperbus topics`.
allow topics --operation Create --operation Describe --cluster
allow topics --operation Describe --operation DescribeConfigs --topic '*'

# Whoever runs `paperbus admin`: looks at every topic but the sealed answers, puts dead letters back.
reads operator connections.requests connections.events syncs.requests syncs.events documents.events \
    catalog.requests catalog.events connections.requests.dead connections.answers.dead connections.events.dead \
    syncs.requests.dead syncs.events.dead documents.events.dead catalog.requests.dead catalog.events.dead
writes operator connections.requests connections.events syncs.requests syncs.events documents.events \
    catalog.requests catalog.events
# After MongoDB was restored it lets the services' groups read again.
for service in catalog connections sync-runner; do
    allow operator --operation Read --group "$service." --resource-pattern-type prefixed
done
