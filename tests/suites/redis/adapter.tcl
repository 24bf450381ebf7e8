# Sourced by Redis's own test suite (test_helper.tcl), after its helpers and before its tests: what it takes to run
# against a tenant behind the cache door instead of a server of its own.

# Every connection logs in as the tenant, before anything else and whatever mode it is in later.
rename redis redis_without_login
proc redis {args} {
    set client [uplevel 1 [list redis_without_login {*}$args]]
    set socket $::redis::fd($::redis::id)
    puts -nonewline $socket "AUTH $::env(SUITE_USER) $::env(SUITE_SECRET)\r\n"
    flush $socket
    set answer [gets $socket]
    if {![string match "+OK*" $answer]} {error "the door refuses the login: $answer"}
    return $client
}

# Settings that only choose how Redis keeps a value in memory: a tenant cannot change them, and the tests hold for
# every value (the suite runs with --ignore-encoding). Everything else goes to the door, which refuses it.
set ::settings_of_encodings {
    hash-max-listpack-entries hash-max-listpack-value hash-max-ziplist-entries hash-max-ziplist-value
    hll-sparse-max-bytes list-compress-depth list-max-listpack-size list-max-ziplist-size set-max-intset-entries
    stream-node-max-bytes stream-node-max-entries zset-max-listpack-entries zset-max-listpack-value
    zset-max-ziplist-entries zset-max-ziplist-value
}
rename ::redis::__dispatch__ ::redis::dispatch_to_the_door
proc ::redis::__dispatch__ {id method args} {
    if {[string equal -nocase $method config] && [string equal -nocase [lindex $args 0] set]
            && [lsearch $::settings_of_encodings [lindex $args 1]] >= 0} {
        return OK
    }
    # Behind the door a blocking command gets a connection of its own. Tests count on it that it waits in Redis before
    # what they send next on another connection arrives; half a second is for those that are answered at once.
    set waits [expr {$::redis::deferred($id) && [may_block $method $args]}]
    if {$waits} {set before [blocked_clients]}
    set code [catch {uplevel 1 [list ::redis::dispatch_to_the_door $id $method {*}$args]} result]
    for {set i 0} {$waits && $i < 50 && [blocked_clients] <= $before} {incr i} {after 10}
    return -code $code $result
}

proc may_block {method arguments} {
    set name [string tolower $method]
    if {$name in {xread xreadgroup}} {return [expr {[lsearch -nocase $arguments block] >= 0}]}
    return [expr {$name in {blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop}}]
}

# How many clients wait in Redis: tests ask before they go on, and a tenant's INFO does not tell. Nobody else blocks
# in this Redis.
rename status status_by_info
proc status {client property} {
    if {$property ne "blocked_clients"} {return [status_by_info $client $property]}
    return [blocked_clients]
}

proc blocked_clients {} {
    set socket [socket 127.0.0.1 $::env(SUITE_REDIS_PORT)]
    fconfigure $socket -translation binary
    puts -nonewline $socket "AUTH $::env(SUITE_ADMINISTRATOR)\r\nINFO clients\r\n"
    flush $socket
    gets $socket
    set info [read $socket [string range [string trim [gets $socket]] 1 end]]
    close $socket
    return [getInfoProperty $info blocked_clients]
}
