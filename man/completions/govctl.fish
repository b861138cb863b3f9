# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_govctl_global_optspecs
    string join \n format= output= config= fail-on= baseline= allow-undecided exit-zero color= no-progress q/quiet h/help V/version
end

function __fish_govctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_govctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_govctl_using_subcommand
    set -l cmd (__fish_govctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c govctl -n "__fish_govctl_needs_command" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_needs_command" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_needs_command" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_needs_command" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_needs_command" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_needs_command" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_needs_command" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_needs_command" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_needs_command" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_needs_command" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_needs_command" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "diagnose" -d 'Run every check against a database'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "verify-chain" -d 'Recompute the hash chains of audit tables, row by row'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "checkpoint" -d 'Sign what the hash chains are today, to be kept outside the database'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "witness" -d 'Cosign checkpoints that extend the last ones this witness saw'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "plan-stage" -d 'The migrations that lead to a stage: written for your own tool, never run'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "stage" -d 'How mature the database is, since when, and by which line'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "demo" -d 'Take the tour: an audit of a made-up product on a PostgreSQL that govctl brings along'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "diff" -d 'Say what opened, what closed and which role gained what, between two facts files'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "init" -d 'Write a commented govctl.yaml from what a database shows; an existing file is never touched'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "waive" -d 'Accept a finding for a while: writes a waiver into govctl.yaml that holds for its state as it is now'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "facts" -d 'Collect the facts of a database: save them, or say what there is'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "matrix" -d 'Show who may do what: login by relation by command, and whose rows row-level security then lets through'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "checks" -d 'List the checks'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "explain" -d 'Say what a check looks for, what it cannot see, and how to fix what it finds'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "man" -d 'Write the manual pages, and the completions below completions/, into a folder'
complete -c govctl -n "__fish_govctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l migrations -d 'The folder of the migrations: what brought what in, and since when; without a database, replayed on a scratch one' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l tool -d 'The migration tool, where the folder does not say it' -r
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l facts -d 'Audit a facts file saved earlier instead of a database' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l save-facts -d 'Keep the collected facts, for another audit or a comparison' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l only -d 'Only the checks whose id matches, e.g. \'tenant-isolation/*\'; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l no-data -d 'Read no rows of any table; checks that need some are then undecided by choice'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l all -d 'Every object, where otherwise five of each check are shown'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand diagnose" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l table -d 'Only this table; repeatable [default: every table that looks like a chain]' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l expect -d 'A head that must be there: HASH, POSITION:HASH or TABLE=POSITION:HASH; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l checkpoint -d 'A checkpoint that the rows must agree with, at its own size; repeatable' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l since -d 'Read only the rows behind this checkpoint; those before it are not looked at again' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l shard -d 'Read only the Kth of N parts of each chain, and write what was read to --shard-out, for --merge' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l until -d 'The last number that --shard reads; say the same one for all parts of a table that still grows' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l shard-out -d 'Where --shard writes' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l merge -d 'A part that --shard wrote; repeatable. The chain is judged by the parts, and not read again' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l evidence -d 'Write what an auditor needs to check the answer into this folder: the report, how rows are hashed, what the chains are now, the checkpoints and keys, and a second verifier; no rows' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l resume -d 'Keep in this file what was read, and go on from there: for tables that take hours. It goes away once all is read' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l trust -d 'A key that checkpoints must be signed with, or of a witness that must have seen them, beside those of govctl.yaml; repeatable' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l key-file -d 'The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l workers -d 'Connections that read at the same time' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l all -d 'Every break, where otherwise ten of each chain are shown'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand verify-chain" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l table -d 'Only this table; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l key -d 'The private key that signs' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l new-key -d 'Make a key of this name first, write it to --key, and print the public one' -r
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l out -d 'The folder of the checkpoints' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l key-file -d 'The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand checkpoint" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l checkpoint -d 'The checkpoint to cosign; the signature is added to this file. Repeatable' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l trust -d 'The public key that checkpoints must be signed with, beside those of govctl.yaml; repeatable' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l key -d 'The private key of this witness' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l new-key -d 'Make a key of this name first, write it to --key, and print the public one' -r
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l state -d 'The folder where this witness remembers what it saw' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l key-file -d 'The secret of keyed chains, from a file [default: the variable GOVCTL_CHAIN_KEY]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand witness" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand witness" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand witness" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand witness" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l migrations -d 'The folder of the migrations; without a database, replayed on a scratch one' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l tool -d 'The migration tool, where the folder does not say it' -r
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l facts -d 'Facts saved earlier instead of a database' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l show -d 'Print one migration of the plan' -r
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l scratch-url -d 'The server to try the plan on; databases made there are dropped again [default: a throwaway one]' -r
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l write -d 'Write the migrations into a folder, named like those that are there; nothing is overwritten' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l prove -d 'Try the plan on a copy of the schema, which is done anyway where a server is at hand, or fail'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l no-prove -d 'Do not try it'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand plan-stage" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l migrations -d 'The folder of the migrations: what brought what in, and since when; without a database, replayed on a scratch one' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l tool -d 'The migration tool, where the folder does not say it' -r
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l facts -d 'Facts saved earlier instead of a database' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l at-least -d 'Fail the run where the stage is below N: the evidenced one; without a database, the one recorded and not undone' -r
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l no-data -d 'Read no rows: the first agent in an audit log is not looked for'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand stage" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l all -d 'Every object, where otherwise five of each check are shown'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand demo" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l only -d 'Only the checks whose id matches; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l all -d 'Every change, where otherwise twenty of each kind are shown'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand diff" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand init" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand init" -l facts -d 'Look at a facts file saved earlier instead of a database' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand init" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand init" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand init" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand init" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand init" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand init" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand init" -l print -d 'Print it, and write no file'
complete -c govctl -n "__fish_govctl_using_subcommand init" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand init" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand init" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand init" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand init" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l migrations -d 'The folder of the migrations: what brought what in, and since when; without a database, replayed on a scratch one' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l tool -d 'The migration tool, where the folder does not say it' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l facts -d 'Look at a facts file saved earlier instead of a database' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l check -d 'The check whose finding is accepted' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l object -d 'The object, as the finding names it, or a glob over several' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l reason -d 'Why' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l owner -d 'Who answers for it [default: the owner of the check\'s axis in govctl.yaml]' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l until -d 'The last day on which it counts, at most a year away [default: in 90 days]' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l print -d 'Print the entry, and write nothing'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand waive" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l out -d 'Write the facts to a file that `govctl diagnose --facts` takes' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l no-data -d 'Read no rows of any table'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l schema -d 'Print the schema of the facts, which checks are written against; contacts nothing'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand facts" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l url -d 'The same as an option' -r
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l facts -d 'A facts file saved earlier instead of a database' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l role -d 'Only logins whose name matches; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l relation -d 'Only relations whose schema.name matches; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l agents -d 'Only agents'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand matrix" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l only -d 'Only those whose id matches, e.g. \'tenant-isolation/*\'; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand checks" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand checks" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand checks" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand checks" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l sql -d 'Print its SQL, which runs on the facts, and nothing else'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand explain" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand completions" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand completions" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand completions" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand man" -l format -d 'How the answer on stdout is said' -r -f -a "human\t'For a terminal'
json\t'For programs; govctl.diagnose/1 and its siblings'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit\'s XML, for CI servers'
github\t'Annotations of a GitHub workflow'
markdown\t'For a pull request'
html\t'One page for a browser, without scripts'
oscal\t'NIST\'s OSCAL assessment results'"
complete -c govctl -n "__fish_govctl_using_subcommand man" -l output -d 'Also write the report to a file in the same run, e.g. json=report.json; repeatable' -r
complete -c govctl -n "__fish_govctl_using_subcommand man" -l config -d 'Configuration [default: govctl.yaml in the current folder, if there is one]' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand man" -l fail-on -d 'The least severe finding that fails the run' -r -f -a "info\t'Worth knowing; nothing to do'
low\t'Hygiene'
medium\t'Weakens a control'
high\t'A control is missing or can be walked around'
critical\t'Another tenant\'s data, a secret or the evidence is exposed now'"
complete -c govctl -n "__fish_govctl_using_subcommand man" -l baseline -d 'Only what an earlier report does not have counts, or has less bad; a report in JSON' -r -F
complete -c govctl -n "__fish_govctl_using_subcommand man" -l color -d 'When to colour' -r -f -a "auto\t'Where the stream is a terminal; NO_COLOR, CLICOLOR and CLICOLOR_FORCE are honoured'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c govctl -n "__fish_govctl_using_subcommand man" -l allow-undecided -d 'End with 0 where nothing was found but something could not be decided'
complete -c govctl -n "__fish_govctl_using_subcommand man" -l exit-zero -d 'End with 0 instead of 1 or 4; never instead of 2, 3 or 5'
complete -c govctl -n "__fish_govctl_using_subcommand man" -l no-progress -d 'Draw no progress'
complete -c govctl -n "__fish_govctl_using_subcommand man" -s q -l quiet -d 'Only the counts, and no status'
complete -c govctl -n "__fish_govctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c govctl -n "__fish_govctl_using_subcommand man" -s V -l version -d 'Print version'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "diagnose" -d 'Run every check against a database'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "verify-chain" -d 'Recompute the hash chains of audit tables, row by row'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "checkpoint" -d 'Sign what the hash chains are today, to be kept outside the database'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "witness" -d 'Cosign checkpoints that extend the last ones this witness saw'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "plan-stage" -d 'The migrations that lead to a stage: written for your own tool, never run'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "stage" -d 'How mature the database is, since when, and by which line'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "demo" -d 'Take the tour: an audit of a made-up product on a PostgreSQL that govctl brings along'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "diff" -d 'Say what opened, what closed and which role gained what, between two facts files'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "init" -d 'Write a commented govctl.yaml from what a database shows; an existing file is never touched'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "waive" -d 'Accept a finding for a while: writes a waiver into govctl.yaml that holds for its state as it is now'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "facts" -d 'Collect the facts of a database: save them, or say what there is'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "matrix" -d 'Show who may do what: login by relation by command, and whose rows row-level security then lets through'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "checks" -d 'List the checks'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "explain" -d 'Say what a check looks for, what it cannot see, and how to fix what it finds'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "completions" -d 'Print the completions for a shell'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "man" -d 'Write the manual pages, and the completions below completions/, into a folder'
complete -c govctl -n "__fish_govctl_using_subcommand help; and not __fish_seen_subcommand_from diagnose verify-chain checkpoint witness plan-stage stage demo diff init waive facts matrix checks explain completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
