using System.CommandLine;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Commands;

/// <summary>The verbs. Exit codes: 0 ok, 1 failed while running, 2 wrong usage, 78 wrong configuration (sysexits.h, EX_CONFIG).</summary>
internal static class CommandLine
{
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int WrongConfiguration = 78;

    public static async Task<int> InvokeAsync(string[] args, TextWriter? output = null, TextWriter? error = null)
    {
        output ??= Console.Out;
        error ??= Console.Error;
        ParseResult parsed = Build(output, error).Parse(args);

        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError wrong in parsed.Errors)
            {
                error.WriteLine(wrong.Message);
            }

            error.WriteLine("streamlstm --help shows what is possible.");
            return WrongUsage;
        }

        // Ctrl-C and SIGTERM belong to the host: it drains what was taken in.
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            ProcessTerminationTimeout = null,
        });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var config = new Option<string[]>("--config", "-c")
        {
            Description = "YAML or JSON file, or a directory of them; the later wins. Without it the built-in configuration runs.",
            Arity = ArgumentArity.ZeroOrMore,
            HelpName = "FILE",
            Recursive = true,
        };
        var set = new Option<string[]>("--set", "-s")
        {
            Description = "One option, over every file: --set http.port=0",
            Arity = ArgumentArity.ZeroOrMore,
            HelpName = "KEY=VALUE",
            Recursive = true,
        };

        var run = new Command("run", "Watch the configured sources until stopped (the default).");
        run.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation));

        var denyWarnings = new Option<bool>("--deny-warnings") { Description = "Take warnings for errors (exit code 78)." };
        var validate = new Command("validate", "Say whether the configuration can be run, and what is wrong with it.") { denyWarnings };
        validate.SetAction(parsed =>
        {
            string[] warnings = [];
            int code = WithOptions(parsed, options => warnings = [.. DoorRules.Warnings(options), .. MqttRules.Warnings(options)]);

            foreach (string warning in warnings)
            {
                error.WriteLine($"warning: {warning}");
            }

            code = code == 0 && warnings.Length > 0 && parsed.GetValue(denyWarnings) ? WrongConfiguration : code;

            if (code == 0)
            {
                output.WriteLine("valid");
            }

            return code;
        });

        var echo = new Command("echo", "Print the resolved configuration as YAML.");
        echo.SetAction(parsed => WithOptions(parsed, options => output.Write(OptionsYaml.Write(options))));

        var version = new Command("version", "Print the version.");
        version.SetAction(_ => output.WriteLine(DaemonTelemetry.Version));

        var root = new RootCommand(
            """
            StreamLstm finds anomalies in live streams, with no labels and no tuning.

            Examples:
              streamlstm                                   watch this computer; MQTT on 127.0.0.1:1883; page on http://127.0.0.1:8080
              streamlstm run --config configs/mqtt.yaml    only what arrives over MQTT
              streamlstm run --set http.port=0             any free port
              tail -f log.csv | streamlstm run --set sources.stdin.enabled=true
              streamlstm validate --config my.yaml
              streamlstm check --config my.yaml            whether brokers, clusters and receivers let in
              streamlstm backtest history.csv --out results
              streamlstm explain --stream host/cpu.user    why it alerted, or why it did not
              streamlstm status                            how a running daemon is; streams and incidents list what it knows
              streamlstm streams delete plant/old-pump     forget a stream
              streamlstm reload                            read the configuration again, streams go on
              streamlstm notify test --config my.yaml      send everybody who is told of incidents a test
              streamlstm maintenance add --streams "plant/*" --for 2h
              streamlstm models list                       which base weights serve, and which are kept
              streamlstm backtest today.txt --format events --train normal.txt --out results
              streamlstm simulate --out fleet.ndjson --labels faults.csv
              streamlstm train --out base.safetensors
              streamlstm demo text                         what the same engine does with text; sound, video, sequences
              streamlstm state verify                      whether the storage directory is whole
              streamlstm estimate --streams 20000          whether this computer bears so many
              streamlstm selftest                          whether this computer's disk keeps what is promised
            """)
        {
            run, validate, CheckCommand.Create(WithOptions, output), SchemaCommand.Create(output), echo, version, BacktestCommand.Create(WithOptions, Beside, output, error), SimulateCommand.Create(output, error),
            ExplainCommand.Create(output, error), LabelCommand.Create(output, error), AcceptCommand.Create(output, error),
            StreamsCommand.Create(output, error), IncidentsCommand.Create(output, error), StatusCommand.Create(output, error), CompletionCommand.Create(output),
            ReloadCommand.Create(output, error), NotifyCommand.Create(WithOptions, output, error),
            MaintenanceCommand.Create(output, error), ModelsCommand.Create(output, error), StateCommand.Create(WithOptions, output, error),
            SelfTestCommand.Create(WithOptions, output, error), EstimateCommand.Create(WithOptions, output, error), TrainCommand.Create(WithOptions, output, error), DemoCommand.Create(output, error), config, set,
        };
        root.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation));
        return root;

        async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
        {
            string[] files = parsed.GetValue(config) ?? [], settings = parsed.GetValue(set) ?? [];
            LoadedOptions? options = null;
            int code = Checked(() => options = ConfigurationLoader.Read(files, settings));
            return options is null
                ? code
                : await DaemonHost.RunAsync(options, () => ConfigurationLoader.Read(files, settings), () => ConfigurationLoader.FilesOf(files), cancellation);
        }

        // The configuration given, and one more file over it.
        DaemonOptions Beside(ParseResult parsed, string file) =>
            ConfigurationLoader.Load([.. parsed.GetValue(config) ?? [], file], parsed.GetValue(set) ?? []);

        int WithOptions(ParseResult parsed, Action<DaemonOptions> use) =>
            Checked(() => use(ConfigurationLoader.Load(parsed.GetValue(config) ?? [], parsed.GetValue(set) ?? [])));

        int Checked(Action load)
        {
            try
            {
                load();
                return 0;
            }
            catch (ConfigurationException wrong)
            {
                foreach (string reason in wrong.Errors)
                {
                    error.WriteLine(reason);
                }

                error.WriteLine("streamlstm echo prints every option with its value.");
                return WrongConfiguration;
            }
        }
    }
}
