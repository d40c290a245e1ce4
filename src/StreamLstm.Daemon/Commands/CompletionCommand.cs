using System.CommandLine;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm completion</c>: what a shell asks when somebody presses the tabulator; the program itself knows the answers.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _streamlstm() {
            mapfile -t COMPREPLY < <(compgen -W "$(streamlstm "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}")
        }
        complete -o default -F _streamlstm streamlstm

        """;

    private const string Zsh = """
        #compdef streamlstm
        _streamlstm() {
            local -a found
            found=("${(@f)$(streamlstm "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -- ${found}
            _files
        }
        compdef _streamlstm streamlstm

        """;

    private const string Fish = """
        complete -c streamlstm -a '(streamlstm "[suggest:"(commandline -C)"]" (commandline -b) 2>/dev/null)'

        """;

    public static Command Create(TextWriter output)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command(
            "completion",
            """
            Print what makes a shell complete this program's verbs and options.

            Example:
              source <(streamlstm completion bash)
            """)
        {
            shell,
        };
        command.SetAction(parsed => output.Write(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish }));
        return command;
    }
}
