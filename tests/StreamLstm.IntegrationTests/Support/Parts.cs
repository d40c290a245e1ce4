namespace StreamLstm.IntegrationTests.Support;

/// <summary>Real parts a test needs: where they are missing it skips on a laptop, and fails under CI=true.</summary>
internal static class Parts
{
    /// <summary>The program's paths, those that come first in PATH first.</summary>
    public static IEnumerable<string> Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(directory => Path.Combine(directory, program))
        .Where(File.Exists);

    /// <summary>The program's path.</summary>
    public static string Require(string program, string package)
    {
        return Require(Find(program).FirstOrDefault(), program, package);
    }

    /// <summary>The path of a file that lies somewhere under a folder.</summary>
    public static string RequireFile(string folder, string file, string package) => Require(
        Directory.EnumerateFiles(folder, file, new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint }).FirstOrDefault(), file, package);

    /// <summary>The folder that holds what is tested.</summary>
    public static string Repository()
    {
        string directory = AppContext.BaseDirectory;

        while (!File.Exists(Path.Combine(directory, "StreamLstm.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("not inside the repository");
        }

        return directory;
    }

    private static string Require(string? found, string part, string package)
    {
        if (found is null)
        {
            string missing = $"{part} is missing: apt-get install {package}";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", missing);
            Assert.Skip(missing);
        }

        return found!;
    }
}
