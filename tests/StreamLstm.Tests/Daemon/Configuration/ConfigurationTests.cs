using StreamLstm.Daemon.Commands;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Tests.Daemon.Configuration;

public sealed class ConfigurationTests : IDisposable
{
    private static readonly Dictionary<string, string> NoEnvironment = [];

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-config-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_embedded_configuration_names_every_option_with_its_default()
    {
        DaemonOptions loaded = ConfigurationLoader.Load([], [], NoEnvironment);

        Assert.Equal(OptionsYaml.Write(new DaemonOptions()), OptionsYaml.Write(loaded));
        Assert.All(Keys(typeof(DaemonOptions)), key => Assert.Contains($"{key}:", ConfigurationLoader.DefaultYaml(), StringComparison.Ordinal));

        static IEnumerable<string> Keys(Type type) => OptionPath.Options(type).SelectMany(option =>
            Keys(OptionPath.ItemType(option.PropertyType) ?? option.PropertyType).Append(OptionPath.SnakeCase(option.Name)));
    }

    [Fact]
    public void Later_files_win_then_the_environment_then_the_command_line()
    {
        string first = Write("a.yaml", "http:\n  port: 1\n  live_clients_max: 5\nretrain:\n  period: 2h\n");
        string second = Write("b.yaml", "http:\n  port: 2\n");

        DaemonOptions options = ConfigurationLoader.Load(
            [first, second], ["pipeline.workers=3"],
            new Dictionary<string, string> { ["STREAMLSTM__PIPELINE__WORKERS"] = "2", ["STREAMLSTM__HTTP__PORT"] = "3" });

        Assert.Equal((3, 5, 3), (options.Http.Port, options.Http.LiveClientsMax, options.Pipeline.Workers));
        Assert.Equal(TimeSpan.FromHours(2), options.Retrain.Period);
    }

    [Fact]
    public void A_directory_merges_its_files_in_the_order_of_their_names()
    {
        Write("20.yaml", "http: {port: 20}");
        Write("10.json", """{"http": {"port": 10, "live_clients_max": 7}}""");

        DaemonOptions options = ConfigurationLoader.Load([_directory], [], NoEnvironment);

        Assert.Equal((20, 7), (options.Http.Port, options.Http.LiveClientsMax));
    }

    [Fact]
    public void What_is_asked_of_alerts_reaches_the_detector()
    {
        string file = Write("a.yaml", "detection: {clean_rows_per_alert: 5000, clean_days_per_alert: 0.5}");

        DetectionOptions detection = ConfigurationLoader.Load([file], [], NoEnvironment).DetectorOptions();
        DetectionOptions unasked = ConfigurationLoader.Load([], [], NoEnvironment).DetectorOptions();

        Assert.Equal((5_000, 0.5), (detection.CleanRowsPerAlert, detection.CleanDaysPerAlert));
        Assert.Equal((new DetectionOptions().CleanRowsPerAlert, new DetectionOptions().CleanDaysPerAlert), (unasked.CleanRowsPerAlert, unasked.CleanDaysPerAlert));
    }

    [Fact]
    public void Alert_rules_are_read_as_people_write_them()
    {
        string file = Write("a.yaml", """
            alerts:
              - {streams: "plant/*", min_deviation: 2.5, direction: up, n_of_m: 3/5, cooldown: 15m, severity_min: warning}
              - {streams: "*", budget: 1/week, group: all, accept_after: 4}
              - {streams: "*/x", budget: 5/12h}
            """);

        DaemonOptions options = ConfigurationLoader.Load([file], [], NoEnvironment);
        AlertRule[] rules = [.. options.DetectorOptions().AlertRules];

        Assert.Equal(
            new AlertRule
            {
                Streams = "plant/*", MinDeviation = 2.5, Direction = AlertDirection.Up, Rows = 3, RowsOf = 5,
                Cooldown = TimeSpan.FromMinutes(15), SeverityMin = IncidentSeverity.Warning,
            },
            rules[0]);
        Assert.Equal(new AlertRule { Budget = 1, BudgetPer = TimeSpan.FromDays(7), Group = "all", AcceptAfter = 4 }, rules[1]);
        Assert.Equal((5, TimeSpan.FromHours(12)), (rules[2].Budget, rules[2].BudgetPer));
        Assert.Equal(OptionsYaml.Write(options), OptionsYaml.Write(ConfigurationLoader.Load([Write("b.yaml", OptionsYaml.Write(options))], [], NoEnvironment)));
    }

    [Theory]
    [InlineData("n_of_m: 6/5", "alerts.0.n_of_m: '6/5', expected N/M with 1 <= N <= M <= 64, such as 3/5")]
    [InlineData("n_of_m: often", "alerts.0.n_of_m: 'often', expected N/M")]
    [InlineData("budget: 2/moon", "alerts.0.budget: '2/moon', expected N/hour, N/day, N/week")]
    [InlineData("budget: 0/day", "alerts.0.budget: '0/day', expected N/hour")]
    [InlineData("min_deviation: -1", "alerts.0.min_deviation: '-1', expected 0 to")]
    [InlineData("cooldown: 0s", "alerts.0.cooldown: '0s', expected more than 0")]
    [InlineData("direction: left", "alerts.0.direction: 'left', expected one of both, up, down")]
    [InlineData("group: g", "alerts.0.group: 'g', expected a budget for it to share")]
    public void A_wrong_alert_rule_is_told_with_what_was_expected(string rule, string message)
    {
        string file = Write("a.yaml", $"alerts:\n  - streams: x\n    {rule}\n");

        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([file], [], NoEnvironment));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Maintenance_windows_are_read_once_and_weekly()
    {
        string file = Write("a.yaml", """
            maintenance:
              - {streams: "plant/*", from: 2026-05-01T22:00Z, to: 2026-05-02T06:00Z, freeze_learning: false}
              - {streams: "*", days: [saturday, sunday], start: "22:00", end: "06:00", time_zone: Europe/Berlin}
            """);

        DaemonOptions options = ConfigurationLoader.Load([file], [], NoEnvironment);
        MaintenanceWindow[] windows = [.. options.DetectorOptions().Maintenance];

        Assert.Equal((true, false, new DateTimeOffset(2026, 5, 1, 22, 0, 0, TimeSpan.Zero)), (windows[0].MuteAlerts, windows[0].FreezeLearning, windows[0].From));
        Assert.Equal([DayOfWeek.Saturday, DayOfWeek.Sunday], windows[1].Days);
        Assert.Equal(("Europe/Berlin", new TimeOnly(22, 0)), (windows[1].TimeZone.Id, windows[1].Start));
        Assert.Equal(OptionsYaml.Write(options), OptionsYaml.Write(ConfigurationLoader.Load([Write("b.yaml", OptionsYaml.Write(options))], [], NoEnvironment)));
    }

    [Theory]
    [InlineData("from: soon", "maintenance.0.from: 'soon', expected an RFC 3339 time")]
    [InlineData("from: 2026-05-01", "maintenance.0.to: missing, expected a time; or days of the week")]
    [InlineData("{from: 2026-05-02, to: 2026-05-01}", "maintenance.0.to: '2026-05-01', expected a time after from")]
    [InlineData("days: [someday]", "maintenance.0.days.0: 'someday', expected one of sunday, monday")]
    [InlineData("{days: [monday], start: late}", "maintenance.0.start: 'late', expected a time of day")]
    [InlineData("{days: [monday], time_zone: Mars/Base}", "maintenance.0.time_zone: 'Mars/Base', expected an IANA name")]
    [InlineData("{days: [monday], mute_alerts: false, freeze_learning: false}", "maintenance.0.mute_alerts, freeze_learning: both false")]
    public void A_wrong_maintenance_window_is_told_with_what_was_expected(string window, string message)
    {
        string file = Write("a.yaml", $"maintenance:\n  - {{streams: x, {window.Trim('{', '}')}}}\n");

        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([file], [], NoEnvironment));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_enums_and_durations_are_read()
    {
        string file = Write("a.yaml", """
            detection: {learning: per_stream}
            retrain: {period: 1.5h, first_after: 500ms}
            sources:
              files:
                - path: a.csv
                - {path: b.ndjson, format: ndjson, follow: true}
            """);

        DaemonOptions options = ConfigurationLoader.Load([file], [], NoEnvironment);

        Assert.Equal(LearningMode.PerStream, options.Detection.Learning);
        Assert.Equal((TimeSpan.FromMinutes(90), TimeSpan.FromMilliseconds(500)), (options.Retrain.Period, options.Retrain.FirstAfter));
        Assert.Equal(["a.csv", "b.ndjson"], options.Sources.Files.Select(source => source.Path));
        Assert.True(options.Sources.Files[1].Follow);
    }

    [Fact]
    public void Records_that_are_judged_together_are_named_with_what_becomes_of_them()
    {
        string file = Write("a.yaml", """
            vectors:
              - streams: "plant/*/boiler"
                columns: [temperature, pressure, valve]
                context: [valve]
                fields: joint
                missing: fixed
                fixed: 0.5
              - streams: "host/*"
            """);

        DaemonOptions options = ConfigurationLoader.Load([file], [], NoEnvironment);

        Assert.Equal(["plant/*/boiler", "host/*"], options.Vectors.Select(vector => vector.Streams));
        Assert.Equal(["temperature", "pressure", "valve"], options.Vectors[0].Columns);
        Assert.Equal((RecordFields.Joint, MissingPolicy.Fixed, 0.5), (options.Vectors[0].Fields, options.Vectors[0].Missing, options.Vectors[0].Fixed));
        Assert.Equal((RecordFields.Both, MissingPolicy.Ignore), (options.Vectors[1].Fields, options.Vectors[1].Missing));
        Assert.Equal(["valve"], options.DetectorOptions().Vectors[0].Context);
    }

    [Fact]
    public void Values_are_interpolated_from_environment_and_files()
    {
        string secret = Write("secret", "/from/file\n");
        string file = Write("a.yaml", $"storage: {{directory: '${{file:{secret}}}'}}\nhttp: {{port: '${{PORT}}', live_clients_max: '${{MISSING:-9}}'}}\n");

        DaemonOptions options = ConfigurationLoader.Load([file], [], new Dictionary<string, string> { ["PORT"] = "77" });

        Assert.Equal(("/from/file", 77, 9), (options.Storage.Directory, options.Http.Port, options.Http.LiveClientsMax));
    }

    [Theory]
    [InlineData("http:\n  prot: 1", "a.yaml:2: unknown key http.prot; did you mean http.port?")]
    [InlineData("htp:\n  port: 1", "a.yaml:2: unknown key htp.port; did you mean http?")]
    [InlineData("http:\n  port: many", "a.yaml:2: http.port: 'many', expected a whole number")]
    [InlineData("http:\n  port: 70000", "a.yaml:2: http.port: '70000', expected 0 to 65535")]
    [InlineData("retrain:\n  period: soon", "a.yaml:2: retrain.period: 'soon', expected a duration such as 500ms")]
    [InlineData("detection:\n  learning: never", "expected one of auto, shared, per_stream")]
    [InlineData("detection: {clean_rows_per_alert: 100}", "detection.clean_rows_per_alert: '100', expected 1000 to 100000000")]
    [InlineData("detection: {clean_days_per_alert: -1}", "detection.clean_days_per_alert: '-1', expected 0 to 365")]
    [InlineData("detection: {clean_days_per_alert: often}", "a.yaml:1: detection.clean_days_per_alert: 'often', expected a number")]
    [InlineData("vectors:\n  - streams: a\n    columns: [x]", "a.yaml:3: vectors.0: columns: 1, of them 0 context, expected 2 to 128")]
    [InlineData("vectors:\n  - columns: [x, y]", "vectors.0.streams: '', expected a value")]
    [InlineData("vectors:\n  - {streams: a, missing: zero}", "expected one of ignore, previous, fixed, model")]
    [InlineData("http: 5", "a.yaml:1: http: '5', expected a mapping")]
    [InlineData("sources:\n  files:\n    - follow: true", "sources.files.0.path: '', expected a value")]
    [InlineData("http: {address: 0.0.0.0}", "http.address: '0.0.0.0' lets the network in")]
    [InlineData("http: {address: example}", "http.address: 'example', expected an IP address")]
    [InlineData("retrain: {period: 0s}", "retrain.period: '0s', expected more than 0")]
    [InlineData("storage: {directory: '${NOWHERE}'}", "environment variable NOWHERE is not set")]
    [InlineData("storage: {directory: '${NOWHERE:?say where}'}", "storage.directory: say where")]
    [InlineData("a: [", "a.yaml:")]
    [InlineData("a: &a [*a]", "more than 32 levels, expected fewer; aliases")]
    [InlineData("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]", "a.yaml:1: more than 100000 values")]
    [InlineData("{[1, 2]: 3}", "a.yaml:1: a key that is no word")]
    public void A_mistake_is_named_with_its_place_and_what_was_expected(string yaml, string expected)
    {
        string file = Write("a.yaml", yaml);

        var wrong = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([file], [], NoEnvironment));

        Assert.Contains(wrong.Errors, error => error.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        string file = Write("a.yaml", "http: {prot: 1, port: x}\nretrain: {period: y}\n");

        var wrong = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([file, "missing.yaml"], ["novalue"], NoEnvironment));

        Assert.Equal(5, wrong.Errors.Count);
    }

    [Theory]
    [InlineData(new[] { "validate" }, 0, "valid")]
    [InlineData(new[] { "validate", "--set", "http.port=x" }, 78, "http.port: 'x', expected a whole number")]
    [InlineData(new[] { "echo", "--set", "http.port=5" }, 0, "port: 5")]
    [InlineData(new[] { "version" }, 0, "0.1.0")]
    [InlineData(new[] { "--help" }, 0, "streamlstm validate --config my.yaml")]
    [InlineData(new[] { "dance" }, 2, "streamlstm --help shows what is possible")]
    [InlineData(new[] { "run", "--set", "http.prot=1" }, 78, "did you mean http.port?")]
    public async Task A_verb_answers_with_its_exit_code(string[] args, int code, string expected)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();

        int answered = await CommandLine.InvokeAsync(args, output, error);

        Assert.Contains(expected, output.ToString() + error, StringComparison.Ordinal);
        Assert.Equal(code, answered);
    }

    [Fact]
    public void What_echo_prints_configures_the_same_daemon()
    {
        DaemonOptions options = ConfigurationLoader.Load([], ["http.port=5", "retrain.period=90s"], NoEnvironment);
        string file = Write("echo.yaml", OptionsYaml.Write(options));

        DaemonOptions again = ConfigurationLoader.Load([file], [], NoEnvironment);

        Assert.Equal(OptionsYaml.Write(options), OptionsYaml.Write(again));
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
