using System.CommandLine;
using StreamLstm.Backtesting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm train</c>: base weights for streams to start from, trained on synthetic or recorded streams.</summary>
internal static class TrainCommand
{
    private const int StreamsMax = 100_000;
    private const int EpochsMax = 1_000;
    private const int LivesMax = 1_000;
    private const long ProgressTotal = 1_000;

    /// <summary>A fifth is held out.</summary>
    private const int WindowsMin = 10;

    /// <param name="withOptions">Loads the configuration, hands it on, and gives the exit code.</param>
    /// <param name="output">For the figures.</param>
    /// <param name="error">For progress and errors.</param>
    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var inputs = new Argument<string[]>("INPUT")
        {
            Description = "CSV or NDJSON files of your own, or directories of them; none for synthetic streams of every kind.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var file = new Option<string>("--out", "-o") { Description = "Where the weights go, as safetensors.", HelpName = "FILE", Required = true };
        var streams = new Option<int?>("--streams") { Description = $"Synthetic streams, 1 to {StreamsMax}; 420 if not given.", HelpName = "N" };
        var rows = new Option<long?>("--rows") { Description = "Rows of every synthetic stream; 3000 if not given.", HelpName = "N" };
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same bytes.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var epochs = new Option<int>("--epochs")
        {
            Description = $"Passes over the windows at most, 1 to {EpochsMax}; it ends sooner where three in a row bring nothing.",
            HelpName = "N",
            DefaultValueFactory = _ => BaseTraining.DefaultEpochsMax,
        };
        var judge = new Option<bool>("--judge")
        {
            Description = "Train the judge of single values instead: the small LSTM that reads what the indicators say. On simulated lives; half an hour on two cores.",
        };
        var reconstruction = new Option<bool>("--reconstruction")
        {
            Description = "Train the network that says what a stretch should have looked like instead. On simulated lives; some minutes on one core.",
        };
        var lives = new Option<int>("--lives")
        {
            Description = $"With --judge: simulated lives of each family, 4 to {LivesMax}.",
            HelpName = "N",
            DefaultValueFactory = _ => new JudgeTrainingOptions().LivesPerFamily,
        };
        var command = new Command(
            "train",
            """
            Train base weights, which new streams start from: anew on synthetic streams, or from detection.base_weights on files of yours.

            Examples:
              streamlstm train --out base.safetensors
              streamlstm train history/ --out base.safetensors
              streamlstm run --set detection.base_weights=base.safetensors
              streamlstm train --judge --out judge.safetensors
              streamlstm train --reconstruction --out reconstruction.safetensors
            """)
        {
            inputs, file, streams, rows, seed, epochs, judge, reconstruction, lives,
        };
        command.SetAction((parsed, cancellation) =>
        {
            int answer = 0;
            int configured = withOptions(parsed, options => answer = FileCommand.Answer(
                () => parsed.GetValue(judge) ? Judge(
                    options, parsed.GetValue(inputs)!, parsed.GetValue(file)!, parsed.GetValue(lives), parsed.GetValue(seed), output, error, cancellation)
                : parsed.GetValue(reconstruction) ? Reconstruction(parsed.GetValue(inputs)!, parsed.GetValue(file)!, parsed.GetValue(seed), output, error, cancellation)
                : Run(
                    options,
                    Checked(
                        parsed.GetValue(inputs)!, parsed.GetValue(file)!, parsed.GetValue(streams), parsed.GetValue(rows),
                        parsed.GetValue(seed), parsed.GetValue(epochs)),
                    output,
                    error,
                    cancellation),
                "no weights are written",
                error));
            return Task.FromResult(configured == 0 ? answer : configured);
        });
        return command;
    }

    private static Request Checked(string[] inputs, string file, int? streams, long? rows, int seed, int epochs) =>
        inputs.Length > 0 && (streams is not null || rows is not null) ? throw new BacktestUsageException("--streams and --rows: expected without INPUT")
        : streams is < 1 or > StreamsMax ? throw new BacktestUsageException($"--streams: {streams}, expected 1 to {StreamsMax}")
        : rows < 1 ? throw new BacktestUsageException($"--rows: {rows}, expected 1 or more")
        : epochs is < 1 or > EpochsMax ? throw new BacktestUsageException($"--epochs: {epochs}, expected 1 to {EpochsMax}")
        : new Request(inputs, file, streams ?? 420, rows ?? 3000, seed, epochs);

    private static int Judge(
        DaemonOptions options, string[] inputs, string path, int lives, int seed, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (inputs.Length > 0)
        {
            throw new BacktestUsageException("INPUT: expected none with --judge, which learns from simulated lives only");
        }

        if (lives is < 4 or > LivesMax)
        {
            throw new BacktestUsageException($"--lives: {lives}, expected 4 to {LivesMax}");
        }

        using var file = new PartialFile(path);
        JudgeTrainingResult result = WorkProgress.With("training", ProgressTotal, error, progress => JudgeTraining.Train(
            new JudgeTrainingOptions { LivesPerFamily = lives, Seed = (ulong)seed, Threads = options.Pipeline.WorkerCount() },
            progress is null ? null : new Share(progress),
            cancellation));
        TorchStateDict.Write(file.Writer.BaseStream, result.Weights);
        file.Complete();
        Tell("families it learnt from, other lives", result.Training);
        Tell("families it has never seen", result.Validation);
        return 0;

        void Tell(string what, JudgeFigures figures) => output.WriteLine(Text(
            $"{what}: {figures.Lives:N0} lives, {figures.Faults:N0} faults; {100 * figures.Recall:F1} % found, {figures.FalsePer10K:F2} false alarms in 10,000 rows"));
    }

    private static int Reconstruction(string[] inputs, string path, int seed, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (inputs.Length > 0)
        {
            throw new BacktestUsageException("INPUT: expected none with --reconstruction, which learns from simulated lives only");
        }

        using var file = new PartialFile(path);
        LstmWeights weights = WorkProgress.With("training", ProgressTotal, error, progress => ReconstructionTraining.Train(
            new ReconstructionTrainingOptions { Seed = (ulong)seed }, progress is null ? null : new Share(progress), cancellation));
        TorchStateDict.Write(file.Writer.BaseStream, weights);
        file.Complete();

        foreach (int length in (int[])[12, 32, 96])
        {
            ReconstructionError held = ReconstructionTraining.Measure(weights, length, livesPerFamily: 1, (ulong)seed, tuned: false);
            output.WriteLine(Text(
                $"{length} rows of families it has never seen: mean absolute error {held.Ours:F3}; the last value carried on {held.Carried:F3}, the season before {held.Season:F3}, the nearest past {held.Nearest:F3}"));
        }

        return 0;
    }

    private static int Run(DaemonOptions options, Request request, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        // Opened before the work: a place that cannot be written to is told at once.
        using var file = new PartialFile(request.File);
        BaseModel start = request.Inputs.Count > 0 ? BaseWeightsFile.Start(options.Detection.BaseWeights, options.Detection.Seed) : BaseModel.Untrained(request.Seed);
        IReadOnlyList<TrainingWindow> windows = Windows(request, options.Pipeline.WorkerCount(), error, cancellation);

        if (windows.Count < WindowsMin)
        {
            error.WriteLine(Text(
                $"error: {windows.Count} windows of {TrainingWindow.Rows} rows, expected at least {WindowsMin}: the second {TrainingWindow.Rows} rows of a stream give the first, and what is in an incident gives none"));
            return CommandLine.Failed;
        }

        TrainingResult result = WorkProgress.With("training", ProgressTotal, error, progress => BaseTraining.Train(
            start.Weights, windows, request.Seed, progress is null ? null : new Share(progress), request.Epochs, cancellation));
        cancellation.ThrowIfCancellationRequested();
        output.WriteLine(Text(
            $"{result.TrainedOn.Count:N0} windows, {result.HeldOut.Count:N0} held out, {result.Epochs} epochs; loss of those held out {result.ChampionLoss:F4} -> {result.CandidateLoss:F4} nats"));

        if (result.Verdict != TrainingVerdict.Promoted)
        {
            error.WriteLine($"error: {OptionPath.SnakeCase(result.Verdict.ToString())}: the weights training began with stay better; nothing is written");
            return CommandLine.Failed;
        }

        WeightsFile.Write(file.Writer.BaseStream, result.Candidate, new Dictionary<string, string>
        {
            ["seed"] = Text($"{request.Seed}"),
            ["windows"] = Text($"{result.TrainedOn.Count}"),
            ["champion_loss"] = Text($"{result.ChampionLoss:R}"),
            ["candidate_loss"] = Text($"{result.CandidateLoss:R}"),
        });
        file.Complete();
        return 0;
    }

    private static IReadOnlyList<TrainingWindow> Windows(Request request, int threads, TextWriter error, CancellationToken cancellation)
    {
        var data = new TrainingData(request.Seed, threads);

        if (request.Inputs.Count == 0)
        {
            return WorkProgress.With("simulating", request.Streams * request.Rows, error, progress =>
                data.OfFleet(request.Streams, request.Rows, progress, cancellation));
        }

        IReadOnlyList<BacktestJob> jobs = TrainingData.Jobs(request.Inputs);
        return WorkProgress.With("reading", jobs.Sum(BacktestRun.Size), error, progress => data.OfFiles(jobs, progress, cancellation));
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private sealed record Request(IReadOnlyList<string> Inputs, string File, int Streams, long Rows, int Seed, int Epochs);

    /// <summary>Shares of a training as steps of a bar.</summary>
    private sealed class Share(Action<long> progress) : IProgress<double>
    {
        private long _told;

        public void Report(double value)
        {
            long now = (long)(value * ProgressTotal);
            progress(now - _told);
            _told = now;
        }
    }
}
